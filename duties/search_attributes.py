"""By what the duties can be found in the Temporal UI; `ALL` is registered with the namespace.

A development server has room for three integers and three booleans. An attribute that is not
registered makes every workflow that sets it fail again and again.
"""

from typing import Any, Final

from temporalio.common import SearchAttributeKey

DUTY: Final = SearchAttributeKey.for_keyword("NocustDuty")
PHASE: Final = SearchAttributeKey.for_keyword("NocustPhase")
TOKEN: Final = SearchAttributeKey.for_keyword("NocustToken")
WALLET: Final = SearchAttributeKey.for_keyword("NocustWallet")
EON: Final = SearchAttributeKey.for_int("NocustEon")
DEADLINE_BLOCK: Final = SearchAttributeKey.for_int("NocustDeadlineBlock")
NONCE: Final = SearchAttributeKey.for_int("NocustNonce")
BLOCKED: Final = SearchAttributeKey.for_bool("NocustBlocked")
PAUSED: Final = SearchAttributeKey.for_bool("NocustPaused")

ALL: Final[list[SearchAttributeKey[Any]]] = [
    DUTY,
    PHASE,
    TOKEN,
    WALLET,
    EON,
    DEADLINE_BLOCK,
    NONCE,
    BLOCKED,
    PAUSED,
]

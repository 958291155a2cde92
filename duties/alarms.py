"""Conditions that a person should know of; the ledger spells those that it raises itself."""

from dataclasses import dataclass
from typing import Final

INFORMATION: Final = "information"
WARNING: Final = "warning"
CRITICAL: Final = "critical"

CHECKPOINT_LATE: Final = "checkpoint late"
CHECKPOINT_REVERTED: Final = "checkpoint reverted"
CHECKPOINT_FOREIGN: Final = "foreign root on chain"
OVERCLAIM: Final = "over-claim"
PROOF_REFUSED: Final = "proof refused by the contract"
HALTED: Final = "missed eon"
OUT_OF_SYNC: Final = "checkpoint not possible: out of sync"
NODE_UNREACHABLE: Final = "node unreachable"
NODE_BEHIND: Final = "node stands still"
DEEP_REORGANISATION: Final = "deep reorganisation"
KEPT_ORPHANED: Final = "money kept that the chain has lost"
ACCUMULATOR: Final = "unexplained operation on chain"
UNKNOWN_EVENT: Final = "unknown event"
UNKNOWN_NOTICE: Final = "notice that no duty takes"
NONCE_USURPED: Final = "nonce usurped"
FEE_CEILING: Final = "fee ceiling"
FUEL: Final = "low fuel"
SENDING_HELD: Final = "no funds to send"
BUDGET: Final = "daily budget spent"
WITHDRAWAL_BLOCKED: Final = "withdrawal blocked"
DISPUTE: Final = "dispute"
DISPUTE_UNKNOWN: Final = "dispute about an unknown token or pair"
DISPUTE_UNANSWERED: Final = "dispute unanswered"
DISPUTE_UNANSWERABLE: Final = "dispute unanswerable"
DISPUTE_LAPSED: Final = "dispute lapsed"
DISPUTE_COUNT: Final = "disputes differ from the contract's count"
UNBACKED_WITHDRAWAL: Final = "unbacked withdrawal"
TOKEN_BLOCKED: Final = "token registration blocked"
TOKEN_UNKNOWN: Final = "token unknown to the ledger"
OVERCLAIM_CHARGED: Final = "over-claim charged"
WALLET_ISOLATED: Final = "wallet isolated"
REQUEST_WITHOUT_WALLET: Final = "withdrawal request without a wallet"
SLASHED_LATE: Final = "slashed after its checkpoint deducted it"
WITHDRAWALS_DIFFER: Final = "withdrawals do not add up"
DUTY_FAILING: Final = "duty failing"
DUTIES_STALLED: Final = "duties at a standstill"
SIGNER: Final = "signer unavailable"
DUTY_MISSING: Final = "duty was missing"
CONTRACT_CHANGED: Final = "contract is not the stored one"
FUNDS_MISSING: Final = "contract holds less than it owes"
FUNDS_EXTRA: Final = "extra funds"
REQUESTS_DIFFER: Final = "pending requests differ"
CONSERVATION: Final = "books do not add up"
TERMS_UNREACHABLE: Final = "terms of service unreachable"


@dataclass(frozen=True)
class AlarmNote:
    """An alarm to raise: one of each `subject` and `about` stays open until it is cleared."""

    severity: str
    subject: str
    about: str
    message: str


@dataclass(frozen=True)
class AlarmKey:
    """The alarm to clear, if it is open."""

    subject: str
    about: str

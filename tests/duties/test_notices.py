"""The ledger spells the kinds of its notices itself; the duties must know every one of them."""

import re
from pathlib import Path

from duties import notices

ROOT = Path(__file__).parent.parent.parent


def test_every_notice_that_the_ledger_writes_has_a_duty_that_takes_it() -> None:
    source = "".join(path.read_text() for path in (ROOT / "ledger").rglob("*.py"))
    written = set(
        re.findall(r'"((?:withdrawal|slash|delegation|transaction|cover)-[a-z]+)"', source)
    )
    assert written == notices.DESK_KINDS | {
        notices.SLASH_DECIDED,
        notices.DELEGATION_ACCEPTED,
        notices.TRANSACTION_OPENED,
        notices.COVER_ORDERED,
    }

"""An over-claim that the operator covers: the root goes out, and the books add up ever after."""

from collections.abc import Callable

from sqlalchemy import text

from activities.covering import open_cover
from duties import alarms
from duties.transactions import Ending
from ledger.conservation import token_books
from ledger.covers import order_cover
from ledger.duty_notices import undelivered
from ledger.interventions import Person
from tests.activities.conftest import CONFIRMATIONS, Sending
from tests.activities.town import Town


async def test_an_over_claim_of_a_wei_is_covered_and_the_root_goes_out_in_its_eon(
    sending: Sending, follow: Callable[[], None]
) -> None:
    town = Town(sending, follow)
    town.found()
    town.settle("good", 500)
    town.mine(2 * CONFIRMATIONS)
    await town.commit()
    with town.context.sessions.begin() as session:
        session.execute(
            text("UPDATE wallet_eon SET deposited = deposited + 1 WHERE deposited = 500")
        )
    town.turn()
    verdict = await town.build()
    assert verdict.overclaims == ("ETH: 501 allotted, 500 held",)
    with town.context.sessions.begin() as session:
        assert order_cover(session, "ETH", 1, Person("kim", "a wei was counted twice"))
    with town.context.sessions() as session:
        [number] = [
            one.arguments["cover"]
            for one in undelivered(session, 100)
            if one.kind == "cover-ordered"
        ]
    start = open_cover(town.context, number)
    assert open_cover(town.context, number).intent_id == start.intent_id
    assert start.key == f"cover-ETH-{number}"
    assert (await town.carry_out(start.intent_id)).ending == Ending.CONFIRMED
    assert town.steps.read_bounds(town.eon).overclaims == ()
    assert (await town.submit()).ending == Ending.CONFIRMED
    assert alarms.OVERCLAIM in town.alarms()
    with town.context.sessions.begin() as session:
        session.execute(text("UPDATE alarm SET cleared_at = now()"))
        assert [book.difference for book in token_books(session) if book.short_name == "ETH"] == [0]
    town.turn()
    await town.commit()
    assert town.alarms() == []

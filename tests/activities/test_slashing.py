"""Slashing on a real chain: the dishonest lose their requests, checkpoints count rightly."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from chain.calls import slash_withdrawal
from chain.signer import TransactionSigner
from duties.eons import OpenSubmission, Readiness
from duties.slashes import OpenSlash
from duties.transactions import Ending
from ledger.slashing import choose_marker
from models import TransactionIntent
from protocol.editions import ContractEdition
from tests.activities.conftest import CONFIRMATIONS, Sending
from tests.activities.town import Town, found_town
from tests.chain.conftest import account_key


@pytest_asyncio.fixture
async def town(sending: Sending, follow: Callable[[], None]) -> AsyncIterator[Town]:
    town = await found_town(sending, follow)
    yield town
    assert town.faults() == []


def duty_of(town: Town, intent: int) -> str:
    row: TransactionIntent = town.sending.intent(intent)
    return row.duty


async def test_the_dishonest_are_slashed_the_honest_are_not(town: Town) -> None:
    town.pay("bad", "friend", 450, 1, marker=50)
    for name in ("bad", "good"):
        for amount in (100, 200, 100):
            town.request(name, amount)
    town.confirm()
    pending = town.context.gateway.pending_withdrawals(town.ether, town.eon)
    assert pending == 800
    [order] = town.decided()
    opening = town.slashing.open_slash(OpenSlash(order, 1))
    assert opening.key == f"slash-ETH-0x{order.address}-e3-r1"
    assert duty_of(town, opening.intent_id) == "slash"
    assert (await town.carry_out(opening.intent_id)).ending == Ending.CONFIRMED
    assert town.statuses("bad") == ["slashed"] * 3
    assert town.statuses("good") == ["pending"] * 3
    assert (town.listed("bad"), len(town.listed("good"))) == ([], 3)
    assert town.context.gateway.pending_withdrawals(town.ether, town.eon) == 400
    assert town.slashing.read_slash(order).open_requests == 0
    assert (town.balance("bad"), town.balance("good")) == (50, 100)
    town.turn()
    await town.commit()
    assert town.alarms() == []


async def test_a_request_of_the_last_block_is_slashed_before_the_checkpoint_is_signed(
    town: Town,
) -> None:
    town.pay("bad", "friend", 450, 1, marker=50)
    town.chain.mine_to(town.clock.last_block(town.eon) - 1)
    town.request("bad", 200)
    before = town.context.gateway.accumulator(3)
    town.mine(2 * CONFIRMATIONS + 1)
    [order] = town.decided()
    verdict = await town.build()
    [label] = verdict.waiting_for
    assert "slash of ETH" in label and verdict.overclaims == ("ETH: 1000 allotted, 800 held",)
    assert town.unsettled().unmined == (label,)
    opening = town.slashing.open_slash(OpenSlash(order, 1))
    assert duty_of(town, opening.intent_id) == "critical_slash"
    assert opening.deadline_block == town.clock.last_block(4)
    town.sending.broadcast(opening.intent_id)
    town.mine()
    assert town.steps.read_bounds(4).overclaims == ()
    unsettled = town.unsettled()
    assert unsettled.waiting_for == (label,) and unsettled.unmined == ()
    town.confirm()
    assert (await town.sending.watch(opening.intent_id)).ending == Ending.CONFIRMED
    assert town.unsettled().waiting_for == ()
    assert (await town.submit()).ending == Ending.CONFIRMED
    basis = town.context.gateway.accumulator(3)
    assert basis != before
    assert town.balance("bad") == 50
    assert town.alarms() == []


async def test_a_slash_that_somebody_else_made_first_is_not_sent_again(town: Town) -> None:
    town.pay("bad", "friend", 450, 1, marker=50)
    town.request("bad", 200)
    town.confirm()
    [order] = town.decided()
    opening = town.slashing.open_slash(OpenSlash(order, 1))
    send_slash(town)
    progress = town.sending.broadcast(opening.intent_id)
    assert progress.ending == Ending.REFUSED
    again = town.slashing.open_slash(OpenSlash(order, 2))
    assert again.readiness == Readiness.DONE
    town.confirm()
    assert town.statuses("bad") == ["slashed"]
    assert town.alarms() == []


def send_slash(town: Town) -> None:
    """Slash as another holder of the operator's key does."""
    with town.context.sessions() as session:
        wallet = town.bank.wallet("bad", town.ether)
        edition = town.context.gateway.parameters().edition
        marker = choose_marker(session, edition, wallet.id, eon=town.eon, requested=200)
    assert marker is not None
    call = slash_withdrawal(
        town.ether,
        token=town.ether,
        holder=bytes(wallet.address),
        marker_eon=marker.eon,
        marker_amount=marker.amount,
        signature=marker.signature,
    )
    assert town.chain.execute(TransactionSigner(account_key(0)), call).succeeded


async def test_a_slash_that_reverts_while_the_requests_are_listed_is_sent_anew(
    town: Town,
) -> None:
    """The holder lengthens the list in the same block: the first slash runs out of gas."""
    more = 30
    town.pay("bad", "friend", 450, 1, marker=50)
    town.request("bad", 200)
    town.confirm()
    [order] = town.decided()
    opening = town.slashing.open_slash(OpenSlash(order, 1))
    for _ in range(more):
        town.send_request("bad", 1)
    town.sending.broadcast(opening.intent_id)
    town.mine()
    outcome = await town.sending.watch(opening.intent_id)
    assert (outcome.ending, len(town.listed("bad"))) == (Ending.REVERTED, 1 + more)
    assert (await town.slash(order, revision=2)).ending == Ending.CONFIRMED
    assert town.listed("bad") == []
    assert town.statuses("bad") == ["slashed"] * (1 + more)
    assert town.balance("bad") == 50


@pytest.mark.only_on(ContractEdition.HARDENED)
async def test_what_a_root_has_deducted_stays_when_a_newer_request_is_slashed(town: Town) -> None:
    town.pay("bad", "friend", 400, 1, marker=60)
    town.request("bad", 40)
    town.turn()
    verdict = await town.build()
    assert verdict.overclaims == ()
    town.request("bad", 100)
    town.confirm()
    assert town.balance("bad") == -40
    assert town.decided() == []
    assert (await town.submit()).ending == Ending.CONFIRMED
    [order] = town.decided()
    assert town.statuses("bad") == ["pending", "slash_queued"]
    assert (await town.slash(order)).ending == Ending.CONFIRMED
    assert town.statuses("bad") == ["pending", "slashed"]
    assert town.listed("bad") == [(3, 40)]
    town.turn()
    await town.commit()


async def test_a_slash_still_under_way_at_the_turn_lands_before_the_next_root(town: Town) -> None:
    town.pay("bad", "friend", 450, 1, marker=50)
    town.chain.mine_to(town.clock.last_block(town.eon) - CONFIRMATIONS - 2)
    town.request("bad", 200)
    town.confirm()
    [order] = town.decided()
    opening = town.slashing.open_slash(OpenSlash(order, 1))
    assert duty_of(town, opening.intent_id) == "slash"
    town.mine(2 * CONFIRMATIONS + 1)
    assert duty_of(town, opening.intent_id) == "critical_slash"
    await town.build()
    assert town.unsettled().unmined
    hasty = town.steps.open_submission(OpenSubmission(4, 1))
    assert (await town.carry_out(opening.intent_id)).ending == Ending.CONFIRMED
    assert town.steps.read_bounds(4).overclaims == ()
    # Whoever read the basis before the slash is refused by the contract, and reads it again.
    refused = town.sending.broadcast(hasty.intent_id)
    assert (refused.ending, refused.letter) == (Ending.REFUSED, "b")
    assert (await town.submit(revision=2)).ending == Ending.CONFIRMED


async def test_a_request_that_the_slash_took_along_unconfirmed_is_slashed_with_it(
    town: Town,
) -> None:
    town.pay("bad", "friend", 450, 1, marker=50)
    town.request("bad", 200)
    town.confirm()
    [order] = town.decided()
    town.request("bad", 7)
    assert (await town.slash(order)).ending == Ending.CONFIRMED
    assert town.statuses("bad") == ["slashed", "slashed"]
    assert town.balance("bad") == 50
    assert town.alarms() == []


async def test_what_no_marker_exceeds_calls_a_person(town: Town) -> None:
    """What a root has deducted is not summed any more: a marker of all that was left covers it."""
    town.pay("bad", "friend", 400, 1, marker=100)
    town.request("bad", 40)
    town.turn()
    await town.commit()
    town.request("bad", 100)
    town.confirm()
    assert (town.balance("bad"), town.decided()) == (-40, [])
    assert town.alarms() == ["unbacked withdrawal"]


@pytest.mark.only_on(ContractEdition.HARDENED)
async def test_a_slash_that_can_land_no_more_is_given_up_and_calls_a_person(
    sending: Sending, follow: Callable[[], None]
) -> None:
    town = await found_town(sending, follow)
    town.pay("bad", "friend", 450, 1, marker=50)
    town.chain.mine_to(town.clock.last_block(town.eon) - 1)
    town.request("bad", 200)
    town.mine(2 * CONFIRMATIONS + 1)
    [order] = town.decided()
    await town.build()
    assert (await town.submit()).ending == Ending.CONFIRMED
    gone = town.slashing.open_slash(OpenSlash(order, 1))
    assert gone.readiness == Readiness.BLOCKED
    assert town.statuses("bad") == ["blocked"]
    assert town.slashing.read_slash(order).status == "given_up"
    assert "unbacked withdrawal" in town.alarms()
    # The root counts money that the contract still owes: nothing cures that but covering it.
    assert town.faults() == ["checkpoint 4 ETH: allots 1000 of 950 that the wallets had"]

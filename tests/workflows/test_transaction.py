"""An on-chain transaction: until it is final, or handed back with the reason."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from duties import interventions
from duties.transactions import Ending, Progress, Stage
from tests.workflows import scenarios
from tests.workflows.scripted import Script, in_turn


async def test_a_transaction_ends_when_it_is_final(script: Script) -> None:
    outcome = await (await scenarios.transaction_confirmed(script)).result()
    assert (outcome["ending"], outcome["tx_hash"]) == (Ending.CONFIRMED, "0x12")
    assert script.names() == ["broadcast", "watch"]


async def test_a_quiet_transaction_is_sent_again_and_a_lost_block_too(script: Script) -> None:
    outcome = await (await scenarios.transaction_replaced(script)).result()
    assert outcome["ending"] == Ending.CONFIRMED
    # Waiting, sent, quiet: replaced, mined, its block lost: sent again, final.
    assert script.names() == [
        "broadcast",
        "broadcast",
        "watch",
        "broadcast",
        "watch",
        "watch",
        "broadcast",
        "watch",
    ]


async def test_a_person_can_pause_raise_the_ceiling_and_cancel(script: Script) -> None:
    outcome = await (await scenarios.transaction_cancelled(script)).result()
    assert outcome["ending"] == Ending.CANCELLED
    orders = [argument for name, argument in script.asked if name == "broadcast"]
    assert 500 in [order.ceiling_gwei for order in orders]
    assert orders[-1].cancelling
    notes = [argument.action for name, argument in script.asked if name == "record_intervention"]
    assert notes == [
        interventions.PAUSE,
        interventions.RAISE_CEILING,
        interventions.RESUME,
        interventions.CANCEL,
    ]


async def test_a_person_can_have_it_offered_more_at_once(script: Script) -> None:
    outcome = await (await scenarios.transaction_forced(script)).result()
    assert outcome["ending"] == Ending.CONFIRMED
    orders = [argument for name, argument in script.asked if name == "broadcast"]
    assert (orders[0].forced, orders[0].ceiling_gwei) == (False, None)
    assert [order.ceiling_gwei for order in orders if order.forced] == [40]
    [note] = [argument for name, argument in script.asked if name == "record_intervention"]
    assert (note.action, note.value) == (interventions.FORCE_RESUBMIT, "40")


async def test_what_makes_no_sense_is_not_sent_dearer(script: Script) -> None:
    script.answers["broadcast"] = in_turn(Progress(Stage.WAITING, reason="sending is paused"))
    handle = await scenarios.start_transaction(script)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(interventions.FORCE_RESUBMIT, scenarios.PERSON)
    assert "was not sent yet" in str(refused.value.cause)


async def test_a_transaction_that_never_had_a_nonce_expires_at_its_deadline(
    script: Script,
) -> None:
    outcome = await (await scenarios.transaction_expired(script)).result()
    assert outcome["ending"] == Ending.EXPIRED
    assert not [a for name, a in script.asked if name == "broadcast" and a.cancelling]


async def test_a_sent_transaction_gives_its_nonce_up_after_its_deadline(script: Script) -> None:
    await script.head()
    sent = Progress(Stage.SENT, nonce=7, attempts=1)
    script.answers["expire_intent"] = in_turn(sent)

    async def watch(_order: object) -> Progress:
        if any(a.cancelling for name, a in script.asked if name == "broadcast"):
            return Progress(Stage.ENDED, Ending.CANCELLED, nonce=7)
        return Progress(Stage.QUIET, nonce=7, attempts=1)

    script.answers["broadcast"] = in_turn(*[Progress(Stage.WAITING, reason="no funds")] * 20, sent)
    script.answers["watch"] = watch
    handle = await scenarios.start_transaction(script, deadline_block=1_030)
    assert (await handle.result())["ending"] == Ending.EXPIRED

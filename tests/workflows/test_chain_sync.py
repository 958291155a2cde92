"""Following the chain: it ends only for a person, and says so."""

from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError

from duties import interventions
from duties.interventions import Intervention
from tests.workflows import scenarios
from tests.workflows.scripted import Script


async def test_reorganisations_are_counted_over_the_turns(script: Script) -> None:
    handle = await scenarios.sync_following(script)
    status = await handle.query("status")
    assert status["paused"]
    assert (status["reorganisations"], status["followed"]["head_block"]) == (1, 1_012)


async def test_a_deep_reorganisation_waits_for_a_person(script: Script) -> None:
    handle = await scenarios.sync_stopped(script)
    orders = [argument for name, argument in script.asked if name == "resynchronise"]
    assert [(order.block, order.actor) for order in orders] == [(1_000, "kim")]
    assert not (await handle.query("status"))["followed"]["stopped"]


async def test_a_chain_that_has_parted_is_followed_on_until_a_person_decides(
    script: Script,
) -> None:
    handle = await scenarios.sync_split(script)
    orders = [argument for name, argument in script.asked if name == "resynchronise"]
    assert [(order.block, order.keeps_committed) for order in orders] == [(1_005, True)]
    assert script.count("follow_chain") >= 3
    status = await handle.query("status")
    assert status["followed"]["split"] == "the branches part after block 1005"
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(interventions.RESYNC_FROM, Intervention("kim", "twice", 1_005))


async def test_a_person_cannot_resynchronise_a_chain_that_is_followed(script: Script) -> None:
    handle = await scenarios.sync_following(script)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(
            interventions.RESYNC_FROM, Intervention("kim", "for fun", value=1_005)
        )
    assert script.count("resynchronise") == 0


async def test_a_person_sets_how_often_the_chain_is_looked_at(script: Script) -> None:
    handle = await scenarios.sync_repaced(script)
    orders = [argument for name, argument in script.asked if name == "follow_chain"]
    assert [order.calendar.poll_s for order in orders] == [script.calendar.poll_s, 7.0]
    for nonsense in (None, 0, 61):
        order = Intervention("kim", "why not", value=nonsense)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(interventions.SET_POLL_SECONDS, order)


async def test_a_chain_of_short_eons_is_never_looked_at_seldom(script: Script) -> None:
    script.calendar = replace(script.calendar, blocks_per_eon=80, block_time_s=15.0)
    handle = await scenarios.sync_following(script)
    slowest = Intervention("kim", "the node's owner complains", value=30)
    with pytest.raises(WorkflowUpdateFailedError):
        slower = replace(slowest, value=31)
        await handle.execute_update(interventions.SET_POLL_SECONDS, slower)
    await handle.execute_update(interventions.SET_POLL_SECONDS, slowest)


async def test_an_intervention_needs_a_name_and_a_reason(script: Script) -> None:
    handle = await scenarios.sync_following(script)
    for nobody in (Intervention("", "why"), Intervention("kim", " ")):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(interventions.RESUME, nobody)

"""A challenge: answered at once, repeated while the deadline allows, loud when it cannot be."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from duties import alarms, challenges, interventions
from duties.challenges import ChallengeView, Standing, Trial, TryAnswers
from duties.interventions import Intervention
from duties.transactions import Ending, Progress, Stage
from tests.workflows import scenarios
from tests.workflows.scripted import Script, calendar, in_turn

BACKGROUND = ("read_view", "clear_alarm", "raise_alarm", "read_challenge")


def subjects(script: Script) -> list[str]:
    return [alarm.subject for alarm in script.alarms]


async def test_an_answer_that_passes_is_sent_at_once_and_awaited_to_its_depth(
    script: Script,
) -> None:
    handle = await scenarios.challenge_answered(script)
    assert await handle.result() == {"number": 17, "status": "answered", "transactions": 1}
    steps = ["try_answers", "broadcast", "watch", "try_answers", "try_answers", "try_answers"]
    assert script.names(*BACKGROUND) == steps
    assert not script.alarms
    cleared = [key.subject for key in script.cleared]
    assert set(challenges.ALARMS) <= set(cleared)


async def test_a_reverted_answer_is_followed_by_another_intent(script: Script) -> None:
    handle = await scenarios.challenge_answered_at_the_second_try(script)
    assert (await handle.result())["transactions"] == 2
    revisions = [order.revision for name, order in script.asked if name == "try_answers"]
    assert revisions == [1, 1, 1, 2, 3, 3]
    assert script.count("broadcast") == 2


async def test_an_unanswerable_challenge_calls_people_who_can_supply_the_answer(
    script: Script,
) -> None:
    handle = await scenarios.challenge_answered_by_a_person(script)
    assert (await handle.result())["status"] == "answered"
    assert alarms.DISPUTE_UNANSWERABLE in subjects(script)
    # Acknowledged after a quarter: neither the half nor anything before 90 % is told again.
    told = [a for a in script.alarms if a.subject == alarms.DISPUTE_UNANSWERED]
    assert [(a.severity, a.message[:4]) for a in told] == [(alarms.WARNING, "25 %")]
    notes = [argument for name, argument in script.asked if name == "record_intervention"]
    assert [note.action for note in notes] == [
        interventions.RETRY_NOW,
        interventions.ACKNOWLEDGE,
        interventions.RAISE_CEILING,
        interventions.SUPPLY_ANSWER,
    ]
    orders = [argument for name, argument in script.asked if name == "broadcast"]
    assert [order.ceiling_gwei for order in orders] == [500]


async def test_the_window_is_counted_and_the_lapse_announced(script: Script) -> None:
    handle = await scenarios.challenge_lapsed(script)
    assert (await handle.result())["status"] == "lapsed"
    told = [a for a in script.alarms if a.subject == alarms.DISPUTE_UNANSWERED]
    assert [a.message[:4] for a in told] == ["25 %", "50 %", "75 %", "90 %"]
    assert [a.severity for a in told] == [alarms.WARNING, *[alarms.CRITICAL] * 3]
    assert subjects(script)[-1] == alarms.DISPUTE_LAPSED
    assert "eon 3" in script.alarms[-1].message
    assert alarms.DISPUTE_LAPSED not in [key.subject for key in script.cleared]
    assert script.count("broadcast") == 0
    # It kept trying, but not in every block of the window.
    assert 30 < script.count("try_answers") < 100


async def test_a_challenge_that_a_reorganisation_took_away_ends_quietly(script: Script) -> None:
    handle = await scenarios.challenge_orphaned(script)
    assert (await handle.result())["status"] == "orphaned"
    assert not script.alarms and script.count("broadcast") == 0


async def test_a_cleared_challenge_raises_no_alarm_while_its_depth_is_awaited(
    script: Script,
) -> None:
    script.answers["read_challenge"] = lambda number: ChallengeView("answering", 1_100)

    async def judge(order: TryAnswers) -> Trial:
        head = await script.head()
        standing = Standing.CLEARED if head < 1_900 else Standing.ENDED
        return Trial(standing, "answered" if standing == Standing.ENDED else "answering", head)

    script.answers["try_answers"] = judge
    handle = await scenarios.challenge_answered(script)
    assert (await handle.result())["status"] == "answered"
    assert not script.alarms


async def test_a_node_that_does_not_answer_is_said_and_asked_again(script: Script) -> None:
    failing = RuntimeError("the node is silent")
    script.answers["try_answers"] = in_turn(
        *[failing] * 6, script.ready, Trial(Standing.ENDED, "answered", 0)
    )
    handle = await scenarios.challenge_answered(script)
    assert (await handle.result())["status"] == "answered"
    (alarm,) = [a for a in script.alarms if a.subject == alarms.DISPUTE_UNANSWERABLE]
    assert "the node is silent" in alarm.message


async def test_a_raised_ceiling_reaches_the_answer_that_is_on_its_way(script: Script) -> None:
    watching = asyncio.Event()

    async def watch(_order: object) -> Progress:
        watching.set()
        paid = [a.ceiling_gwei for name, a in script.asked if name == "broadcast"]
        if 700 in paid:
            return Progress(Stage.ENDED, Ending.CONFIRMED, nonce=7)
        await asyncio.sleep(0.2)
        return Progress(Stage.QUIET, nonce=7)

    script.answers["watch"] = watch
    # The server skips no time once an activity was cancelled: nothing is waited for afterwards.
    ended = Trial(Standing.ENDED, "answered", 0)
    script.answers["try_answers"] = in_turn(script.ready, ended)
    handle = await scenarios.start_challenge(script)
    await watching.wait()
    raised = Intervention("kim", "whatever it costs", value=700)
    await handle.execute_update(interventions.RAISE_CEILING, raised)
    assert (await handle.result())["status"] == "answered"


async def test_what_makes_no_sense_is_refused(script: Script) -> None:
    script.answers["try_answers"] = in_turn(scenarios.unanswerable(1_000))
    handle = await scenarios.start_challenge(script)
    for action, intervention in (
        (interventions.SUPPLY_ANSWER, Intervention("kim", "no id")),
        (interventions.RAISE_CEILING, Intervention("kim", "nothing", value=0)),
        (interventions.ACKNOWLEDGE, Intervention("", "nobody")),
    ):
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(action, intervention)
    status = await handle.query("status")
    assert (status["standing"], status["deadline_block"]) == (Standing.UNANSWERABLE, 2_077)
    assert [tried["letter"] for tried in status["tried"]] == ["n", ""]
    assert status["blocks_left"] == 1_077


async def test_short_eons_leave_time_to_try(script: Script) -> None:
    script.calendar = calendar(blocks_per_eon=60, confirmations=3, poll_s=1.0, block_time_s=2.0)
    handle = await scenarios.challenge_lapsed(script)
    assert (await handle.result())["status"] == "lapsed"
    assert script.count("try_answers") > 10

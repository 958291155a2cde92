"""An eon's checkpoint: in time, in order, and loud when it is not."""

import time
from dataclasses import replace

import pytest
from temporalio.client import WorkflowUpdateFailedError

from duties import alarms, interventions
from duties.calendar import HOLD
from duties.eons import Opening, Phase, Readiness, Unsettled, Verdict
from duties.transactions import Progress, Stage
from tests.workflows import scenarios
from tests.workflows.scripted import Script, calendar, in_turn

BACKGROUND = ("read_view", "clear_alarm", "raise_alarm", "read_unsettled")
STEPS = [
    "close_eon",
    "build_checkpoint",
    "verify_checkpoint",
    "announce_checkpoint",
    "open_submission",
    "broadcast",
    "watch",
    "record_commitment",
]


async def test_an_eon_of_4320_blocks_commits_its_checkpoint_in_seconds(script: Script) -> None:
    began = time.monotonic()
    handle = await scenarios.eon_committed(script)
    outcome = await handle.result()
    assert (outcome["phase"], outcome["transactions"]) == (Phase.DONE, 1)
    assert script.names(*BACKGROUND) == STEPS
    assert not script.alarms
    assert time.monotonic() - began < 20


async def test_nothing_is_closed_before_the_threshold(script: Script) -> None:
    heads: list[int] = []

    async def close(_eon: int) -> None:
        heads.append(await script.head())

    script.answers["close_eon"] = close
    await scenarios.eon_committed(script)
    assert 40 <= heads[0] - script.calendar.genesis_block < 50


async def test_nothing_is_closed_while_the_eon_before_is_not_confirmed(script: Script) -> None:
    script.lag = 10_000
    handle = await scenarios.start_eon(script, eon=2)
    await script.environment.sleep(15 * (4_320 + 100))
    assert script.count("close_eon") == 0
    assert script.alarms[0].subject == alarms.OUT_OF_SYNC
    assert "block 5319" in script.alarms[0].message
    script.lag, script.submitted_eon = 20, 1
    assert (await handle.result())["phase"] == Phase.DONE


async def test_a_reverted_submission_is_sent_again_with_a_new_intent(script: Script) -> None:
    handle = await scenarios.eon_resubmitted(script)
    assert (await handle.result())["transactions"] == 2
    assert [a.revision for n, a in script.asked if n == "open_submission"] == [1, 2]
    assert alarms.CHECKPOINT_REVERTED in [alarm.subject for alarm in script.alarms]


async def test_a_held_submission_escalates_and_goes_out_when_released(script: Script) -> None:
    handle = await scenarios.eon_held(script)
    assert (await handle.result())["phase"] == Phase.DONE
    late = [alarm for alarm in script.alarms if alarm.subject == alarms.CHECKPOINT_LATE]
    assert [alarm.severity for alarm in late[:2]] == [alarms.WARNING, alarms.CRITICAL]
    assert len(late) >= 3 and "left" in late[0].message
    notes = [argument for name, argument in script.asked if name == "record_intervention"]
    assert [note.action for note in notes] == [
        interventions.HOLD_SUBMISSION,
        interventions.RELEASE_SUBMISSION,
    ]
    assert notes[0].actor == "kim" and notes[0].subject == "eon-1"


async def test_while_sending_is_paused_alarms_escalate_and_then_the_root_goes_out(
    script: Script,
) -> None:
    script.calendar = calendar(poll_s=400.0)
    resumed = script.calendar.genesis_block + 2_700
    sent: list[int] = []

    async def broadcast(_order: object) -> Progress:
        head = await script.head()
        if head < resumed:
            return Progress(Stage.WAITING, reason="sending is paused")
        sent.append(head)
        return Progress(Stage.SENT, nonce=7, attempts=1, fee="30")

    script.answers["broadcast"] = broadcast
    handle = await scenarios.eon_committed(script)
    assert (await handle.result())["phase"] == Phase.DONE
    assert len(sent) == 1 and resumed <= sent[0] < resumed + 200
    late = [alarm for alarm in script.alarms if alarm.subject == alarms.CHECKPOINT_LATE]
    assert [alarm.severity for alarm in late[:2]] == [alarms.WARNING, alarms.CRITICAL]
    assert len(late) >= 3 and all("left" in alarm.message for alarm in late)


async def test_an_operator_that_comes_back_eight_blocks_before_the_end_commits_in_time(
    script: Script,
) -> None:
    now = (await script.environment.get_current_time()).timestamp()
    script.started_at = now - script.calendar.block_time_s * (2 * 4_320 - 8)
    script.submitted_eon = 1
    heads: list[int] = []

    async def broadcast(_order: object) -> Progress:
        heads.append(await script.head())
        return Progress(Stage.SENT, nonce=7, attempts=1, fee="30")

    script.answers["broadcast"] = broadcast
    handle = await scenarios.start_eon(script, eon=2)
    assert (await handle.result())["phase"] == Phase.DONE
    assert heads[0] < script.calendar.genesis_block + 2 * 4_320 - 4


async def test_an_eon_that_ends_without_a_root_is_halted_once_and_loudly(script: Script) -> None:
    handle = await scenarios.eon_halted(script)
    assert (await handle.result())["phase"] == Phase.HALTED
    halts = [alarm for alarm in script.alarms if alarm.subject == alarms.HALTED]
    assert len(halts) == 1 and "challenges of eon 0" in halts[0].message
    assert script.count("broadcast") == 0


async def test_an_overclaimed_root_is_held_and_goes_out_in_the_last_tenth(script: Script) -> None:
    heads: list[int] = []

    async def announce(_eon: int) -> None:
        heads.append(await script.head())

    script.answers["announce_checkpoint"] = announce
    handle = await scenarios.eon_overclaimed(script)
    assert (await handle.result())["phase"] == Phase.DONE
    assert heads[0] - script.calendar.genesis_block >= 4_320 - 432
    assert "101 allotted, 100 held" in script.alarms[0].message


async def test_an_overclaim_that_is_covered_goes_out_at_once(script: Script) -> None:
    script.answers["verify_checkpoint"] = in_turn(Verdict(("ETH: 101 allotted, 100 held",)))
    script.answers["read_bounds"] = in_turn(Verdict())
    heads: list[int] = []

    async def announce(_eon: int) -> None:
        heads.append(await script.head())

    script.answers["announce_checkpoint"] = announce
    handle = await scenarios.eon_committed(script)
    assert (await handle.result())["phase"] == Phase.DONE
    assert heads[0] - script.calendar.genesis_block < 100
    assert alarms.OVERCLAIM in [key.subject for key in script.cleared]


async def test_an_overclaim_waits_for_a_person_where_the_policy_is_to_hold(script: Script) -> None:
    script.calendar = calendar(overclaim_policy=HOLD)
    script.answers["verify_checkpoint"] = in_turn(Verdict(("ETH: 101 allotted, 100 held",)))
    script.answers["read_bounds"] = in_turn(Verdict(("ETH: 101 allotted, 100 held",)))
    handle = await scenarios.start_eon(script)
    # In steps: the server's call that skips time has a limit of its own on the wall's clock.
    for _ in range(10):
        await script.environment.sleep(15 * 410)
    assert script.count("announce_checkpoint") == 0
    await handle.execute_update(interventions.APPROVE_OVERCLAIM, scenarios.PERSON)
    assert (await handle.result())["phase"] == Phase.DONE


async def test_an_approval_of_one_token_lets_no_other_be_over_claimed(script: Script) -> None:
    script.calendar = calendar(overclaim_policy=HOLD)
    eth, lqd = "ETH: 101 allotted, 100 held", "LQD: 8 allotted, 7 held"
    both = Verdict((eth, lqd), trails=(0, 1))
    script.answers["verify_checkpoint"] = in_turn(both)
    script.answers["read_bounds"] = in_turn(both)
    handle = await scenarios.start_eon(script)
    await script.environment.sleep(15 * 410)
    approval = replace(scenarios.PERSON, value=1)
    await handle.execute_update(interventions.APPROVE_OVERCLAIM, approval)
    await script.environment.sleep(15 * 410)
    assert script.count("announce_checkpoint") == 0
    approval = replace(scenarios.PERSON, value=0)
    await handle.execute_update(interventions.APPROVE_OVERCLAIM, approval)
    assert (await handle.result())["phase"] == Phase.DONE


async def test_a_root_that_nobody_was_told_of_is_built_anew_for_a_person(script: Script) -> None:
    handle = await scenarios.eon_rebuilt(script)
    assert (await handle.result())["phase"] == Phase.DONE
    steps = [name for name in script.names() if name.endswith("_checkpoint")]
    assert steps == [
        "build_checkpoint",
        "verify_checkpoint",
        "discard_checkpoint",
        "build_checkpoint",
        "verify_checkpoint",
        "announce_checkpoint",
    ]
    assert alarms.OVERCLAIM in [key.subject for key in script.cleared]


async def test_what_is_announced_is_never_built_anew(script: Script) -> None:
    handle = await scenarios.start_eon(script)
    await handle.execute_update(interventions.HOLD_SUBMISSION, scenarios.PERSON)
    with pytest.raises(WorkflowUpdateFailedError) as early:
        await handle.execute_update(interventions.REBUILD, scenarios.PERSON)
    assert "between its building and its announcement" in str(early.value.cause)
    await script.environment.sleep(15 * 200)
    assert script.count("announce_checkpoint") == 1
    with pytest.raises(WorkflowUpdateFailedError) as late:
        await handle.execute_update(interventions.REBUILD, scenarios.PERSON)
    assert "between its building and its announcement" in str(late.value.cause)
    await handle.execute_update(interventions.RELEASE_SUBMISSION, scenarios.PERSON)
    assert (await handle.result())["phase"] == Phase.DONE
    assert script.count("discard_checkpoint") == 0


async def test_a_ledgers_objection_waits_for_a_person(script: Script) -> None:
    handle = await scenarios.eon_inconsistent(script)
    assert (await handle.result())["phase"] == Phase.DONE
    assert script.count("verify_checkpoint") == 2
    assert "a level differs" in script.alarms[0].message


async def test_a_foreign_root_is_never_answered_with_a_transaction(script: Script) -> None:
    foreign = Opening(Readiness.FOREIGN, reason="the contract holds ff")
    script.answers["open_submission"] = in_turn(foreign)
    handle = await scenarios.eon_committed(script)
    assert (await handle.result())["phase"] == Phase.HALTED
    assert alarms.CHECKPOINT_FOREIGN in [alarm.subject for alarm in script.alarms]
    assert script.count("broadcast") == 0


async def test_an_eon_that_is_on_chain_already_sends_nothing(script: Script) -> None:
    script.submitted_eon = 1
    handle = await scenarios.eon_committed(script)
    assert (await handle.result())["phase"] == Phase.DONE
    assert script.count("broadcast") == 0


async def test_a_root_waits_for_the_slashes_that_its_leaves_count_on(script: Script) -> None:
    handle = await scenarios.eon_waiting_for_slashes(script)
    assert (await handle.result())["phase"] == Phase.DONE
    assert alarms.OVERCLAIM not in [alarm.subject for alarm in script.alarms]
    seen = script.names("read_view", "raise_alarm", "clear_alarm")
    announced = seen.index("announce_checkpoint")
    assert seen[:announced].count("read_bounds") == 2
    assert seen[announced + 1 : seen.index("open_submission")] == ["read_unsettled"] * 3


async def test_from_half_an_epoch_on_a_slash_that_is_mined_is_enough(script: Script) -> None:
    label = "the slash of ETH 0xcd"
    unmined, mined = Unsettled((label,), (label,)), Unsettled((label,))
    heads: list[int] = []

    async def unsettled(_eon: int) -> Unsettled:
        heads.append(await script.head() - script.calendar.genesis_block)
        return unmined if heads[-1] < 700 else mined

    script.answers["read_unsettled"] = unsettled
    handle = await scenarios.eon_committed(script)
    assert (await handle.result())["phase"] == Phase.DONE
    # Half an epoch is 540 blocks: depth is not waited for any more, mining is.
    assert heads[-2] < 700 <= heads[-1] < 720


async def test_a_slash_that_is_never_mined_is_an_overclaim_and_calls_a_person(
    script: Script,
) -> None:
    label = "the slash of ETH 0xcd"
    claims = Verdict(("ETH: 101 allotted, 100 held",), (label,))
    script.answers["verify_checkpoint"] = in_turn(claims)
    script.answers["read_bounds"] = in_turn(claims)
    script.answers["read_unsettled"] = in_turn(Unsettled((label,), (label,)))
    handle = await scenarios.eon_committed(script)
    assert (await handle.result())["phase"] == Phase.DONE
    [alarm] = [one for one in script.alarms if one.subject == alarms.OVERCLAIM][:1]
    assert label in alarm.message and "Blocks left" in alarm.message

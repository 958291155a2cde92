"""The operator dies at every moment that has a name, once each, and nothing else differs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from temporalio.client import Client

from api.office import DutyOffice, NobodyWorks, NoSuchDuty, TemporalAway
from crash_points import ALL, NAMES
from duties import schedules
from duties.interventions import Intervention
from simulation.pace import NeverHappened
from simulation.play.cast import Cast
from simulation.play.director import Director
from simulation.play.scenes.dishonesty import OldProofWithdrawal
from simulation.play.scenes.disputes import DeliveryChallenge, StateUpdateChallenge, SwapChallenge
from simulation.play.scenes.faults import Outage, Reorganisation
from simulation.play.scenes.money import Admission, Deposit, Payment, Withdrawal
from simulation.play.scenes.trading import ComingHome, Opening, Trading
from simulation.play.script import Cue
from simulation.play.stage import Stage
from stack.temporal import TemporalDevServer
from tests.faults.scenes import DearWhenSent, LostWhenSent, PaymentDue, UsurpedWhenSent
from tests.faults.theatre import Theatre, open_theatre
from tests.faults.verdict import verdict_of

ETHER: Final = 10**18
EONS: Final = 5
LONGEST_BLOCK_S: Final = 20.0
"""Dozens of kills fall into the first eon: no reality is as dense, so blocks wait for longer."""
CAST: Final = Cast(("ada", "bob", "eve"), ("cheat",), (), ("house",))

EONS_OF_TRADE: Final = (1, 2, 3, 4)
MOST_TRIES: Final = 30

ALARM: Final = "an alarm is all that was stored, and no step follows from it"
MISSED: Final = "a deadline was missed, which no play may need"
PARTED: Final = "a person decides after a deep reorganisation: tests/reorganisations/test_deep.py"
DELEGATED: Final = "no wallet delegates here: tests/activities/test_delegating.py"
COVERED: Final = "nothing is over-claimed here: tests/activities/test_covering.py"
REBUILT: Final = "a person has a root built anew: tests/ledger/test_checkpoint.py"
READ: Final = "nothing was stored; asked only when a checkpoint is blocked or a duty starts twice"
LUCK: Final = "whether it is met depends on what others do at the time"
ELSEWHERE: Final[Mapping[str, str]] = {
    "committed activities.adoption.Adoptions._terms_are_late": ALARM,
    "committed activities.alarming_signer.AlarmingSigner._is_silent": ALARM,
    "committed activities.answering.Answering._simulate_all": ALARM,
    "committed activities.broadcasting.Broadcaster._announce_empty_account": ALARM,
    "committed activities.dispatching.Dispatcher._alarm": ALARM,
    "committed activities.answering.Answering._lapse": MISSED,
    "committed activities.watching.Watcher.expire_intent": MISSED,
    "ended expire_intent": MISSED,
    "committed activities.branches.Branches._part": PARTED,
    "committed activities.synchronisation.Synchronisation.resynchronise": PARTED,
    "ended resynchronise": PARTED,
    "committed activities.covering.open_cover": COVERED,
    "committed activities.eons.CheckpointWork._discard": REBUILT,
    "ended discard_checkpoint": REBUILT,
    "committed activities.delegating.delegation_objection": DELEGATED,
    "committed activities.delegating.open_delegation": DELEGATED,
    "ended read_bounds": READ,
    "ended read_intent": READ,
    "committed activities.broadcasting.Broadcaster._end": LUCK,
    "committed activities.signing.Signing.fill": LUCK,
    "committed activities.slashing.SlashWork._give_up": LUCK,
    "committed activities.watching.Watcher._look": LUCK,
}
"""Moments that the play need not meet, and why."""


@dataclass(frozen=True, slots=True)
class CheckNow:
    """A person has a schedule's check run now."""

    temporal: Client = field(repr=False)
    schedule: str
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Trigger it; what it finds is an alarm."""
        await self.temporal.get_schedule_handle(self.schedule).trigger()
        stage.tally.count("checks")


@dataclass(frozen=True, slots=True)
class Intervene:
    """A person tells a duty something, again under the same name until a worker has heard it.

    A dying operator may start the duty late.
    """

    temporal: Client = field(repr=False)
    duty: str
    action: str
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Have it done once."""
        office = DutyOffice(self._reach)
        said = Intervention("the tests", "a play", None)
        for _ in range(MOST_TRIES):
            with suppress(NobodyWorks, NoSuchDuty, TemporalAway):
                await office.intervene(self.duty, self.action, said, update_id=self.action)
                stage.tally.count("interventions")
                return
            await asyncio.sleep(1)
        raise NeverHappened(f"{self.action} of {self.duty}")

    async def _reach(self) -> Client:
        return self.temporal


def cues_of(theatre: Theatre) -> list[Cue]:
    """Every duty once, and every fault that makes a duty do more."""
    clock = theatre.stage.clock
    temporal = theatre.temporal

    def at(eon: int, sub_block: int) -> int:
        return clock.first_block(eon) + sub_block

    cues = [
        *(Cue(at(1, 0), Admission(name, 5 * ETHER)) for name in (*CAST.honest, *CAST.cheats)),
        Cue(at(1, 1), Opening("house", (("ETH", 5 * ETHER), ("LQD", 5 * ETHER)))),
        Cue(at(1, 26), Payment("ada", "bob", 100, 1)),
        Cue(at(1, 28), Payment("bob", "eve", 100, 2)),
        Cue(at(1, 30), Reorganisation(2)),
        Cue(at(3, 14), Reorganisation(2)),
        Cue(at(2, 8), LostWhenSent()),
        Cue(at(2, 13), StateUpdateChallenge("ada")),
        Cue(at(2, 16), OldProofWithdrawal("cheat", "eve", 3, at(3, 16))),
        Cue(at(2, 26), Payment("ada", "eve", 100, 4)),
        Cue(at(2, 30), Deposit("bob", ETHER)),
        Cue(at(3, 8), DearWhenSent(20)),
        Cue(at(3, 13), DeliveryChallenge("ada", 0, by_recipient=True, passive_form=False)),
        Cue(at(3, 14), Withdrawal("bob", 300)),
        Cue(at(4, 8), UsurpedWhenSent()),
        Cue(at(4, 14), SwapChallenge("house", 1)),
        Cue(at(4, 36), Outage(8)),
        Cue(at(5, 17), PaymentDue("bob")),
        *(Cue(at(5, block), ComingHome("house")) for block in (16, 22, 28)),
    ]
    cues += [
        Cue(at(eon, block), Trading("house")) for eon in (1, 2, 3, 4) for block in (20, 24, 30)
    ]
    cues += [
        Cue(at(eon, 18 + number), CheckNow(temporal, plan.id))
        for number, plan in enumerate(schedules.ALL)
        for eon in (2, 4)
    ]
    cues += [
        Cue(at(2, 1), Intervene(temporal, "eon-2", "hold_submission")),
        Cue(at(2, 2), Intervene(temporal, "eon-2", "release_submission")),
    ]
    return sorted(cues, key=lambda cue: cue.block)


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@pytest.mark.timeout(3600)
async def test_the_outcome_is_the_same_whatever_moment_the_operator_dies_at(
    parts_folder: Path,
    database_url: str,
    temporal_dev_server: TemporalDevServer,
) -> None:
    folder = parts_folder / "crash-points"
    folder.mkdir()
    theatre_of = open_theatre(
        folder,
        database_url,
        temporal_dev_server,
        CAST,
        longest_block_s=LONGEST_BLOCK_S,
        more={"HUB_CRASH_AT": ALL},
    )
    async with theatre_of as theatre:
        await Director(theatre.stage, cues_of(theatre), tell).play(EONS)
        verdict = await verdict_of(theatre, EONS)
        deaths = sum(keeper.deaths for keeper in theatre.keepers)
    tell(f"{deaths} deaths; counts {dict(verdict.counts)}; margins {dict(verdict.margins)}")
    died_at = {path.name for path in theatre.settings.crash_folder.iterdir()}
    tell("\n".join(["not died at:", *sorted(NAMES - died_at)]))
    assert verdict.faults == []
    assert deaths == len(died_at)
    assert sorted(NAMES - died_at - {*ELSEWHERE}) == []

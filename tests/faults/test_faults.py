"""A real worker under the faults of chain and node: nothing is late, or the alarm came first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from duties import alarms
from models import Alarm
from models.engine import open_engine, open_sessions
from simulation.play.cast import Cast
from simulation.play.director import Director
from simulation.play.scenes.dishonesty import OldProofWithdrawal
from simulation.play.scenes.disputes import DeliveryChallenge, StateUpdateChallenge
from simulation.play.scenes.faults import Outage
from simulation.play.scenes.money import Admission, Payment, Withdrawal
from simulation.play.script import Cue
from stack.temporal import TemporalDevServer
from tests.faults.scenes import DearWhenSent, LostWhenSent, UsurpedWhenSent
from tests.faults.theatre import Theatre, open_theatre
from tests.faults.verdict import verdict_of

ETHER: Final = 10**18
EONS: Final = 6
LONGEST_BLOCK_S: Final = 12.0
DUE: Final = 8
"""The block of an eon from which its checkpoint is on its way."""
DISPUTED: Final = 13
"""The first block of an eon at which somebody may dispute the last one."""
HALF_AN_EON: Final = 24
CAST: Final = Cast(("ada", "bob", "eve"), ("cheat",), (), ())


def cues_of(theatre: Theatre) -> list[Cue]:
    """Each fault once while a checkpoint, and once while an answer, waits for its block.

    A fault that begins with a challenge strikes what the operator sends next: the answer.
    """
    clock = theatre.stage.clock

    def at(eon: int, block: int) -> int:
        return clock.first_block(eon) + block

    cues = [
        *(Cue(at(1, 0), Admission(name, 5 * ETHER)) for name in (*CAST.honest, *CAST.cheats)),
        *(
            Cue(at(eon, 28), Payment(payer, payee, 100, 10 * eon))
            for eon, payer, payee in ((1, "ada", "bob"), (2, "bob", "eve"), (3, "eve", "ada"))
        ),
        Cue(at(2, DUE), LostWhenSent()),
        Cue(at(2, DISPUTED), StateUpdateChallenge("ada")),
        Cue(at(2, DISPUTED), LostWhenSent()),
        Cue(at(2, 16), OldProofWithdrawal("cheat", "eve", 3, at(3, 16))),
        Cue(at(3, DUE), DearWhenSent(20)),
        Cue(at(3, 30), DeliveryChallenge("bob", 0, by_recipient=True, passive_form=False)),
        Cue(at(3, 30), DearWhenSent(20)),
        Cue(at(3, 14), Withdrawal("bob", 300)),
        Cue(at(4, DUE), UsurpedWhenSent()),
        Cue(at(4, DISPUTED + 5), StateUpdateChallenge("eve")),
        Cue(at(4, DISPUTED + 5), UsurpedWhenSent()),
        # From before the checkpoint is due until half of the eon is over: it still lands.
        Cue(at(5, DUE - 2), Outage(HALF_AN_EON)),
    ]
    return sorted(cues, key=lambda cue: cue.block)


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def raised(database_url: str) -> set[str]:
    """The subjects of all alarms, those that have ended too."""
    engine = open_engine(database_url, application_name="test")
    with open_sessions(engine)() as session:
        subjects = set(session.scalars(select(Alarm.subject)))
    engine.dispose()
    return subjects


@pytest.mark.timeout(1800)
async def test_checkpoints_answers_and_slashes_are_never_late_whatever_befalls_them(
    parts_folder: Path, database_url: str, temporal_dev_server: TemporalDevServer
) -> None:
    folder = parts_folder / "faults"
    folder.mkdir()
    theatre_of = open_theatre(
        folder,
        database_url,
        temporal_dev_server,
        CAST,
        longest_block_s=LONGEST_BLOCK_S,
        more={},
    )
    async with theatre_of as theatre:
        await Director(theatre.stage, cues_of(theatre), tell).play(EONS)
        verdict = await verdict_of(theatre, EONS)
    tell(f"counts {dict(verdict.counts)}; margins {dict(verdict.margins)}")
    assert verdict.faults == []
    assert min(verdict.margins.values()) >= 0
    for fault in ("transactions lost", "transactions made dear", "nonces usurped"):
        assert verdict.counts[fault] == 2
    assert verdict.counts["node outages"] == 1
    assert verdict.counts["slashes"] == 1
    assert {alarms.NODE_UNREACHABLE, alarms.NONCE_USURPED} <= raised(database_url)

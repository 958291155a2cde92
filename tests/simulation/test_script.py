"""A seed is a script: the same again, complete, and calm at the end."""

from protocol.clock import EonClock
from simulation.play.cast import cast_of
from simulation.play.scenes.faults import Kill, Outage, Reorganisation
from simulation.play.scenes.money import Withdrawal
from simulation.play.script import CALM_BLOCKS, KILLED, Cue, Script

CLOCK = EonClock(genesis_block=100, blocks_per_eon=48)
FEWEST_EONS = 5


def cues(seed: int, eons: int) -> list[Cue]:
    return Script(seed, CLOCK, eons, cast_of(6, eons)).cues()


def test_the_same_seed_draws_the_same_and_another_seed_something_else() -> None:
    assert cues(1, 8) == cues(1, 8)
    assert cues(1, 8) != cues(2, 8)


def test_even_the_shortest_script_has_every_fault() -> None:
    for seed in range(20):
        scenes = [cue.scene for cue in cues(seed, FEWEST_EONS)]
        assert {scene.part for scene in scenes if isinstance(scene, Kill)} == set(KILLED)
        depths = {scene.depth for scene in scenes if isinstance(scene, Reorganisation)}
        assert depths == {1, 2, 3}
        assert any(isinstance(scene, Outage) for scene in scenes)


def test_withdrawals_leave_time_to_be_paid_and_proofs_time_to_be_mined() -> None:
    for seed in range(20):
        for cue in cues(seed, FEWEST_EONS):
            if isinstance(cue.scene, Withdrawal):
                eon = CLOCK.eon_of(cue.block)
                assert eon <= FEWEST_EONS - 2
                assert CLOCK.eon_of(cue.block + 1) == eon


def test_nothing_begins_in_the_last_blocks() -> None:
    last = CLOCK.last_block(FEWEST_EONS)
    for seed in range(20):
        begins = [cue.block for cue in cues(seed, FEWEST_EONS)]
        assert max(begins) <= last - CALM_BLOCKS

"""The eon clock agrees with itself at every boundary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.clock import EonClock, InvalidClock

clocks = st.builds(EonClock, st.integers(0, 10**7), st.integers(12, 5000))
eons = st.integers(1, 50)


@given(clocks, eons)
def test_an_eon_begins_where_the_one_before_ends(clock: EonClock, eon: int) -> None:
    first, last = clock.first_block(eon), clock.last_block(eon)
    assert last - first + 1 == clock.blocks_per_eon
    assert clock.first_block(eon + 1) == last + 1
    assert (clock.eon_of(first), clock.sub_block(first)) == (eon, 0)
    assert (clock.eon_of(last), clock.sub_block(last)) == (eon, clock.blocks_per_eon - 1)
    assert clock.blocks_left(first) == clock.blocks_per_eon - 1
    assert clock.blocks_left(last) == 0


@given(clocks, st.integers(0, 10**5))
def test_eon_and_sub_block_name_a_block(clock: EonClock, offset: int) -> None:
    block = clock.genesis_block + offset
    assert clock.first_block(clock.eon_of(block)) + clock.sub_block(block) == block


@given(clocks, eons)
def test_challenges_open_after_the_first_epoch_and_never_in_eon_one(
    clock: EonClock, eon: int
) -> None:
    opening = clock.first_block(eon) + clock.epoch_blocks + 1
    assert clock.may_open_challenge(opening) == (eon > 1)
    assert not clock.may_open_challenge(opening - 1)
    assert clock.may_open_challenge(clock.last_block(eon)) == (eon > 1)
    assert opening - 1 == clock.checkpoint_target_block(eon)


@given(clocks, st.integers(2, 50), st.data())
def test_an_answer_has_one_epoch_even_across_the_turn(
    clock: EonClock, eon: int, data: st.DataObject
) -> None:
    opened = data.draw(
        st.integers(clock.first_block(eon) + clock.epoch_blocks + 1, clock.last_block(eon))
    )
    last = clock.last_answer_block(opened)
    assert clock.may_answer_challenge(opened, opened_in=opened)
    assert clock.may_answer_challenge(last, opened_in=opened)
    assert not clock.may_answer_challenge(last + 1, opened_in=opened)
    assert not clock.may_answer_challenge(opened - 1, opened_in=opened)
    # An unanswered challenge halts only once no answer is possible any more.
    halting = clock.first_block(eon + 1) + clock.epoch_blocks + 1
    halted = {"last_submission_eon": eon + 1, "live_challenges_of_last_eon": 1}
    assert clock.is_halted(halting, **halted) and last < halting
    assert not clock.is_halted(halting - 1, **halted)


@given(clocks, st.integers(0, 50))
def test_a_missed_checkpoint_halts_from_the_second_turn_after_the_last(
    clock: EonClock, submitted: int
) -> None:
    turn = clock.first_block(submitted + 2)
    assert clock.is_missed(turn, last_submission_eon=submitted)
    assert not clock.is_missed(turn - 1, last_submission_eon=submitted)
    assert clock.is_halted(turn, last_submission_eon=submitted, live_challenges_of_last_eon=0)


@given(clocks, eons)
def test_a_request_is_payable_from_the_extended_epoch_of_the_second_eon_after(
    clock: EonClock, eon: int
) -> None:
    first = clock.first_payable_block(eon)
    assert (clock.eon_of(first), clock.sub_block(first)) == (eon + 2, clock.extended_epoch_blocks)
    assert clock.is_payable(eon, first) and not clock.is_payable(eon, first - 1)
    # The halt over a disputed request comes first: that is what protects the pool.
    assert clock.first_block(eon + 2) + clock.epoch_blocks + 1 <= first
    assert clock.last_slash_block(eon) < first


@given(clocks, st.integers(2, 50), st.integers(1, 5))
def test_a_checkpoint_waits_for_the_last_block_before_it_and_its_own_depth(
    clock: EonClock, eon: int, confirmations: int
) -> None:
    first = clock.first_block(eon)
    earliest = first + 2 * confirmations
    wait = {"confirmations": confirmations, "earliest_sub_block": 2 * confirmations}
    if earliest <= clock.last_block(eon):
        assert clock.may_create_checkpoint(earliest, **wait)
    assert not clock.may_create_checkpoint(earliest - 1, **wait)
    soonest = {"confirmations": confirmations, "earliest_sub_block": 0}
    assert clock.may_create_checkpoint(first + confirmations - 1, **soonest)
    if confirmations > 1:
        assert not clock.may_create_checkpoint(first + confirmations - 2, **soonest)


def test_eon_one_needs_no_eon_before() -> None:
    clock = EonClock(100, 60)
    assert clock.may_create_checkpoint(106, confirmations=3, earliest_sub_block=6)
    assert not clock.may_create_checkpoint(105, confirmations=3, earliest_sub_block=6)


def test_epochs_of_the_known_eon_lengths() -> None:
    lengths = {60: (15, 20), 180: (45, 60), 4320: (1080, 1440)}
    for blocks, epochs in lengths.items():
        clock = EonClock(0, blocks)
        assert (clock.epoch_blocks, clock.extended_epoch_blocks) == epochs
        assert clock.overclaim_submission_block(1) == blocks - blocks // 10


def test_blocks_before_genesis_eons_before_the_first_and_short_eons_are_refused() -> None:
    clock = EonClock(10, 60)
    for wrong in (lambda: clock.eon_of(9), lambda: clock.first_block(0), lambda: EonClock(0, 11)):
        with pytest.raises(InvalidClock):
            wrong()

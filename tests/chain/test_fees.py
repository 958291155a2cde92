"""Fees follow the market, grow by what nodes demand, and keep to their ceilings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import GasLimitTooHigh
from chain.fees import (
    MIN_BUMP_PERCENT,
    DynamicFee,
    Fee,
    FeeMarket,
    FeePolicy,
    LegacyFee,
    Window,
    bumped,
    dearer,
    fee_ceiling,
    first_fee,
    is_replacement_due,
    market_fee,
    replacement_fee,
    required_balance,
)
from chain.gas import gas_limit

GWEI = 10**9
POLICY = FeePolicy(
    ceiling=300 * GWEI,
    critical_ceiling=1000 * GWEI,
    min_tip=GWEI,
    bump_percent=15,
    bump_after_blocks=10,
)
PLENTY = 10**21
QUIET = FeeMarket(base_fee=10 * GWEI, tips=(), gas_price=0)


def test_the_cap_is_twice_the_base_fee_and_the_median_tip() -> None:
    market = FeeMarket(base_fee=20 * GWEI, tips=(1 * GWEI, 3 * GWEI, 50 * GWEI), gas_price=0)
    assert market_fee(market, POLICY) == DynamicFee(43 * GWEI, 3 * GWEI)


def test_the_tip_never_falls_below_its_floor() -> None:
    assert market_fee(QUIET, POLICY) == DynamicFee(21 * GWEI, GWEI)
    lazy = FeeMarket(base_fee=10 * GWEI, tips=(1, 2, 3), gas_price=0)
    assert market_fee(lazy, POLICY) == DynamicFee(21 * GWEI, GWEI)


def test_a_chain_without_a_base_fee_gets_one_price() -> None:
    assert market_fee(FeeMarket(None, (), 7 * GWEI), POLICY) == LegacyFee(7 * GWEI)
    assert market_fee(FeeMarket(None, (), 0), POLICY) == LegacyFee(GWEI)


def test_a_first_fee_is_cut_down_to_the_ceiling() -> None:
    dear = FeeMarket(base_fee=400 * GWEI, tips=(350 * GWEI,), gas_price=0)
    assert first_fee(dear, POLICY, POLICY.ceiling) == DynamicFee(300 * GWEI, 300 * GWEI)


wei = st.integers(min_value=1, max_value=10**13)
fees = st.one_of(
    st.builds(LegacyFee, wei),
    st.tuples(wei, wei).map(lambda pair: DynamicFee(max(pair), min(pair))),
)
markets = st.one_of(
    st.builds(FeeMarket, st.none(), st.just(()), wei),
    st.builds(FeeMarket, wei, st.lists(wei, max_size=10).map(tuple), st.just(0)),
)


def _components(fee: Fee) -> tuple[int, ...]:
    return (fee.max_fee, fee.priority_fee) if isinstance(fee, DynamicFee) else (fee.gas_price,)


@given(previous=fees, market=markets, ceiling=wei)
def test_every_replacement_is_a_tenth_dearer_in_each_component_and_under_the_ceiling(
    previous: Fee, market: FeeMarket, ceiling: int
) -> None:
    replaced = replacement_fee(previous, market, POLICY, ceiling)
    if replaced is None:
        least = _components(bumped(previous, MIN_BUMP_PERCENT))
        assert any(component > ceiling for component in least)
        return
    assert type(replaced) is type(previous)
    for new, old in zip(_components(replaced), _components(previous), strict=True):
        assert 100 * new >= 110 * old
        assert new <= ceiling
    if isinstance(replaced, DynamicFee):
        assert replaced.priority_fee <= replaced.max_fee


def test_a_replacement_rises_by_the_configured_share_rounded_up() -> None:
    assert replacement_fee(DynamicFee(25 * GWEI + 1, 2 * GWEI), QUIET, POLICY, PLENTY) == (
        DynamicFee(28_750_000_002, 2_300_000_000)
    )


def test_a_replacement_follows_a_market_that_rose_faster() -> None:
    risen = FeeMarket(base_fee=100 * GWEI, tips=(9 * GWEI,), gas_price=0)
    assert replacement_fee(DynamicFee(21 * GWEI, GWEI), risen, POLICY, PLENTY) == (
        DynamicFee(209 * GWEI, 9 * GWEI)
    )


def test_patience_ends_after_the_classes_blocks_or_when_the_base_fee_overtakes() -> None:
    fee = DynamicFee(21 * GWEI, GWEI)

    def due(blocks: int, *, critical: bool, base_fee: int | None = 10 * GWEI) -> bool:
        return is_replacement_due(
            fee, blocks_waited=blocks, base_fee=base_fee, is_critical=critical, policy=POLICY
        )

    assert [due(9, critical=False), due(10, critical=False)] == [False, True]
    assert [due(1, critical=True), due(2, critical=True)] == [False, True]
    assert not due(0, critical=False, base_fee=21 * GWEI)
    assert due(0, critical=False, base_fee=21 * GWEI + 1)
    assert not due(0, critical=False, base_fee=None)


def _ceiling(window: Window | None, head: int, *, balance: int = PLENTY) -> int:
    return fee_ceiling(POLICY, head=head, window=window, balance=balance, gas_limit=100_000)


def test_duties_without_a_deadline_keep_to_the_ordinary_ceiling() -> None:
    assert _ceiling(None, 10**9) == 300 * GWEI


def test_an_ordinary_deadline_may_use_the_critical_ceiling_past_half_its_window() -> None:
    window = Window(opened=100, deadline=200, is_vital=False)
    assert _ceiling(window, 150) == 300 * GWEI
    assert _ceiling(window, 151) == 1000 * GWEI
    assert _ceiling(window, 199) == 1000 * GWEI


def test_in_the_last_tenth_of_a_vital_window_only_the_balance_bounds_the_fee() -> None:
    window = Window(opened=100, deadline=200, is_vital=True)
    assert _ceiling(window, 100) == 1000 * GWEI
    assert _ceiling(window, 189) == 1000 * GWEI
    assert _ceiling(window, 190) == PLENTY // 100_000
    assert _ceiling(window, 190, balance=10**15) == 10**10
    assert _ceiling(window, 205, balance=0) == 0


def test_a_vital_duty_offers_no_more_than_the_account_has() -> None:
    window = Window(opened=0, deadline=100, is_vital=True)
    assert _ceiling(window, 1, balance=10**15) == 10 * GWEI


def test_what_outbids_two_is_as_dear_as_both_in_each_part() -> None:
    assert dearer(DynamicFee(5, 1), DynamicFee(4, 3)) == DynamicFee(5, 3)
    assert dearer(DynamicFee(5, 1), LegacyFee(7)) == DynamicFee(7, 7)
    assert dearer(LegacyFee(5), DynamicFee(7, 1)) == LegacyFee(7)


def test_the_account_must_own_the_cap_for_all_gas_and_the_value() -> None:
    assert required_balance(DynamicFee(30 * GWEI, GWEI), 100_000, 5) == 3 * 10**15 + 5
    assert required_balance(LegacyFee(30 * GWEI), 100_000, 5) == 3 * 10**15 + 5


@pytest.mark.parametrize("changes", [{"bump_percent": 9}, {"min_tip": 0}, {"ceiling": 10**13}])
def test_a_policy_that_nodes_or_the_purse_would_refuse_is_refused(changes: dict[str, int]) -> None:
    settings = {
        "ceiling": 300 * GWEI,
        "critical_ceiling": 1000 * GWEI,
        "min_tip": GWEI,
        "bump_percent": 15,
        "bump_after_blocks": 10,
    }
    with pytest.raises(ValueError):
        FeePolicy(**{**settings, **changes})


def test_the_gas_limit_leaves_a_quarter_of_room_within_sixty_percent_of_a_block() -> None:
    assert gas_limit(100_001, 30_000_000) == 225_002
    assert gas_limit(17_000_000, 30_000_000) == 18_000_000
    with pytest.raises(GasLimitTooHigh):
        gas_limit(18_000_001, 30_000_000)

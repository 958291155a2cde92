"""What a transaction offers for its gas: pure rules, amounts in wei.

A chain with a base fee gets type 2 transactions: the tip is the median of recent tips, the fee
cap twice the newest base fee plus the tip. A chain without gets one gas price. An unmined
transaction is replaced by a dearer one; ceilings bound what the operator pays, except in the last
tenth of a deadline's window, where being late would cost the chain.
"""

from dataclasses import dataclass
from statistics import median_high

MIN_BUMP_PERCENT = 10
"""Nodes refuse to replace a pending transaction by one that is less than a tenth dearer."""

CRITICAL_PATIENCE_BLOCKS = 2
MIN_GAS_LIMIT = 21_000


@dataclass(frozen=True, slots=True)
class DynamicFee:
    """EIP-1559: the most per gas in all, and the part of it that the block's maker keeps."""

    max_fee: int
    priority_fee: int

    @property
    def cap(self) -> int:
        """The most that one gas can cost."""
        return self.max_fee


@dataclass(frozen=True, slots=True)
class LegacyFee:
    """Before EIP-1559: one price per gas."""

    gas_price: int

    @property
    def cap(self) -> int:
        """The most that one gas can cost."""
        return self.gas_price


Fee = DynamicFee | LegacyFee


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The operator's settings; `critical_ceiling` is for checkpoints and challenge answers."""

    ceiling: int
    critical_ceiling: int
    min_tip: int
    bump_percent: int
    bump_after_blocks: int

    def __post_init__(self) -> None:
        if self.bump_percent < MIN_BUMP_PERCENT:
            raise ValueError(f"nodes refuse replacements under {MIN_BUMP_PERCENT} %")
        if not 0 < self.min_tip <= self.ceiling <= self.critical_ceiling:
            raise ValueError("0 < minimum tip <= ceiling <= critical ceiling")


@dataclass(frozen=True, slots=True)
class FeeMarket:
    """What the chain asks: `base_fee` of the newest block, or None and the node's `gas_price`."""

    base_fee: int | None
    tips: tuple[int, ...]
    gas_price: int


@dataclass(frozen=True, slots=True)
class Window:
    """A deadline: the duty arose in block `opened` and must be mined in `deadline` at the latest.

    `is_vital`: checkpoints and challenge answers, without which the chain halts.
    """

    opened: int
    deadline: int
    is_vital: bool

    def left(self, head: int) -> int:
        """Blocks that can still mine the duty after `head`."""
        return max(0, self.deadline - head)

    def is_half_gone(self, head: int) -> bool:
        """Whether less than half of the window is left."""
        return 2 * self.left(head) < self.deadline - self.opened

    def is_last_tenth(self, head: int) -> bool:
        """Whether at most a tenth of the window is left."""
        return 10 * self.left(head) <= self.deadline - self.opened


def market_fee(market: FeeMarket, policy: FeePolicy) -> Fee:
    """What a first attempt offers before any ceiling."""
    if market.base_fee is None:
        return LegacyFee(max(market.gas_price, policy.min_tip))
    tip = max(policy.min_tip, median_high(market.tips) if market.tips else 0)
    return DynamicFee(2 * market.base_fee + tip, tip)


def fee_ceiling(
    policy: FeePolicy,
    *,
    head: int,
    window: Window | None,
    balance: int,
    gas_limit: int,
    value: int = 0,
) -> int:
    """The most per gas that this duty may offer now.

    Ordinary duties keep to the ordinary ceiling; vital ones, and any with less than half of its
    window left, to the critical one. In the last tenth of a vital window only the account's
    `balance` (what other transactions have not claimed) bounds the fee. A vital duty never offers
    more than the account has: the node would refuse it altogether.
    """
    affordable = max(0, balance - value) // gas_limit
    if window is None:
        return policy.ceiling
    if window.is_vital and window.is_last_tenth(head):
        return affordable
    if window.is_vital:
        return min(policy.critical_ceiling, affordable)
    if window.is_half_gone(head):
        return policy.critical_ceiling
    return policy.ceiling


def first_fee(market: FeeMarket, policy: FeePolicy, ceiling: int) -> Fee:
    """The first attempt's fee, cut down to the ceiling."""
    return _capped(market_fee(market, policy), ceiling)


def replacement_fee(
    previous: Fee, market: FeeMarket, policy: FeePolicy, ceiling: int
) -> Fee | None:
    """The fee of a dearer attempt, or None when the ceiling forbids the least increase.

    Each component grows by at least the bump, and to the market's present demand if that is more.
    At the ceiling the same bytes are to be broadcast again instead.
    """
    least, wanted = bumped(previous, policy.bump_percent), market_fee(market, policy)
    if isinstance(least, DynamicFee):
        wanted_tip = wanted.priority_fee if isinstance(wanted, DynamicFee) else 0
        fee: Fee = DynamicFee(max(least.max_fee, wanted.cap), max(least.priority_fee, wanted_tip))
    else:
        fee = LegacyFee(max(least.gas_price, wanted.cap))
    capped = _capped(fee, ceiling)
    return capped if _is_at_least(capped, bumped(previous, MIN_BUMP_PERCENT)) else None


def bumped(fee: Fee, percent: int) -> Fee:
    """Every component raised by `percent`, rounded up."""
    if isinstance(fee, LegacyFee):
        return LegacyFee(_raised(fee.gas_price, percent))
    return DynamicFee(_raised(fee.max_fee, percent), _raised(fee.priority_fee, percent))


def is_replacement_due(
    fee: Fee,
    *,
    blocks_waited: int,
    base_fee: int | None,
    is_critical: bool,
    policy: FeePolicy,
) -> bool:
    """Whether patience has run out, or the base fee has overtaken what was offered."""
    patience_blocks = CRITICAL_PATIENCE_BLOCKS if is_critical else policy.bump_after_blocks
    return blocks_waited >= patience_blocks or (base_fee is not None and fee.cap < base_fee)


def dearer(one: Fee, other: Fee) -> Fee:
    """What is at least as dear as both in every component, in the form of `one`."""
    if isinstance(one, LegacyFee):
        return LegacyFee(max(one.gas_price, other.cap))
    tip = other.priority_fee if isinstance(other, DynamicFee) else other.cap
    return DynamicFee(max(one.max_fee, other.cap), max(one.priority_fee, tip))


def required_balance(fee: Fee, gas_limit: int, value: int) -> int:
    """What the account must own for a node to take the transaction."""
    return fee.cap * gas_limit + value


def _raised(amount: int, percent: int) -> int:
    return -(-amount * (100 + percent) // 100)


def _capped(fee: Fee, ceiling: int) -> Fee:
    if isinstance(fee, LegacyFee):
        return LegacyFee(min(fee.gas_price, ceiling))
    return DynamicFee(min(fee.max_fee, ceiling), min(fee.priority_fee, ceiling))


def _is_at_least(fee: Fee, floor: Fee) -> bool:
    if isinstance(fee, DynamicFee) and isinstance(floor, DynamicFee):
        return fee.max_fee >= floor.max_fee and fee.priority_fee >= floor.priority_fee
    return fee.cap >= floor.cap

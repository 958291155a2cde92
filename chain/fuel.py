"""How much ether the operator must own to meet what may come at once."""

from typing import Final

from chain.fees import FeeMarket, FeePolicy, market_fee

CHECKPOINT_GAS: Final = 110_000
ANSWER_GAS: Final = 300_000
"""The dearest answer there is: the deepest proofs, on the published edition."""
ANSWERS: Final = 10


def reserve(market: FeeMarket, policy: FeePolicy) -> int:
    """What one checkpoint and ten answers cost at the fees of the moment, in wei."""
    return market_fee(market, policy).cap * (CHECKPOINT_GAS + ANSWERS * ANSWER_GAS)

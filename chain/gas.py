"""How much gas a transaction may use, and what the chain asks for it."""

from web3.types import Wei

from chain.calls import Call
from chain.errors import GasLimitTooHigh, NodeRefused
from chain.fees import FeeMarket
from chain.node import Node, as_checksummed, named_errors
from protocol.address import Address

FEE_HISTORY_BLOCKS = 10
TIP_PERCENTILE = 50.0
FIRST_WRITE_GAS = 100_000
"""What the first write of an eon costs more than a later one: it fills the contract's rings. A
reorganisation can make ours the first after it was estimated as a later one."""


def estimate_gas(node: Node, call: Call, sender: Address) -> int:
    """The gas the call would use on the head's state; raises CallReverted, naming the cause."""
    with named_errors(node.label, call.function):
        return int(
            node.w3.eth.estimate_gas(
                {
                    "from": as_checksummed(sender),
                    "to": as_checksummed(call.to),
                    "data": node.w3.to_hex(call.data),
                    "value": Wei(call.value),
                }
            )
        )


def gas_limit(estimate: int, block_gas_limit: int) -> int:
    """The estimate, a quarter more and `FIRST_WRITE_GAS`; at most 60 % of a block's gas.

    Raises GasLimitTooHigh when the estimate itself is above that: sending it would be hopeless.
    """
    most = block_gas_limit * 6 // 10
    if estimate > most:
        raise GasLimitTooHigh(f"{estimate} gas needed, at most {most} may be used")
    return min(-(-estimate * 5 // 4) + FIRST_WRITE_GAS, most)


def read_fee_market(node: Node) -> FeeMarket:
    """Base fee and recent tips, or the node's gas price on a chain without a base fee."""
    base_fee = node.head().base_fee
    if base_fee is None:
        with named_errors(node.label):
            return FeeMarket(None, (), int(node.w3.eth.gas_price))
    return FeeMarket(base_fee, _recent_tips(node), 0)


def _recent_tips(node: Node) -> tuple[int, ...]:
    """Tips of recent blocks; none where the node has no fee history: the least tip must do."""
    try:
        with named_errors(node.label):
            history = node.w3.eth.fee_history(FEE_HISTORY_BLOCKS, "latest", [TIP_PERCENTILE])
            # Blocks without transactions report a tip of 0, which says nothing about demand.
            return tuple(int(row[0]) for row in history.get("reward", []) if row and row[0])
    except NodeRefused:
        return ()

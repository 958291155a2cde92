"""Many holders' open requests of one head."""

from collections.abc import Sequence

from chain.blocks import BlockHeader
from chain.gateway import ContractGateway
from chain.state import PendingRequest
from protocol.address import Address


def read_pending(
    gateway: ContractGateway, holders: Sequence[tuple[Address, Address]]
) -> tuple[BlockHeader, list[tuple[PendingRequest, ...]]]:
    """The open requests of each token and holder, oldest first, all of one head."""
    head, answers = gateway.ask_together(
        *(("getClientContractStateVariables", token, holder) for token, holder in holders)
    )
    return head, [
        tuple(PendingRequest(eon, amount) for eon, amount in values[6]) for values in answers
    ]

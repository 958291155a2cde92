"""What the play sees of the operator from outside: what it has read, and what it owes the chain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chain.errors import ChainError
from chain.gateway import ContractGateway
from simulation.play.parent_node import NodeRefused, ParentNode
from wallet.errors import WalletError
from wallet.operator_api import OperatorApi

RUNNING_IN_BLOCKS: Final = 2
"""Blocks beyond its threshold in which a checkpoint may be on its way without a transaction."""


@dataclass(frozen=True, slots=True)
class Debt:
    """Something that the operator is to send, once `from_block` is mined.

    `is_paid` asks the contract; it may raise the errors of the node.
    """

    what: str
    from_block: int
    is_paid: Callable[[], bool]


class OperatorWatch:
    """Tells whether the operator is done with a block; asks the node only when something is due."""

    def __init__(
        self, api: OperatorApi, node: ParentNode, gateway: ContractGateway, confirmations: int
    ) -> None:
        self._api, self._node, self._gateway = api, node, gateway
        self._threshold = 2 * confirmations + RUNNING_IN_BLOCKS
        self._debts: list[Debt] = []
        self._committed = 0
        """The newest eon whose checkpoint was seen on chain."""

    def expect(self, debt: Debt) -> None:
        """Let blocks wait for this as they wait for a checkpoint."""
        self._debts.append(debt)

    def doubt(self) -> None:
        """Believe nothing seen before: blocks have left the chain."""
        self._committed = 0

    async def is_done(self, block: int) -> bool:
        """Whether it has read `block` and has sent what that block calls for."""
        try:
            status = await self._api.status()
            return status.latest_block >= block and await asyncio.to_thread(
                self._owes_nothing, block
            )
        except (WalletError, ChainError, NodeRefused, OSError):
            return False

    def _owes_nothing(self, block: int) -> bool:
        clock = self._gateway.clock()
        eon, era = clock.eon_of(block), clock.sub_block(block)
        due = [debt for debt in self._debts if debt.from_block <= block]
        lacks_checkpoint = era > self._threshold and self._committed < eon
        if not due and not lacks_checkpoint:
            return True
        if self._node.has_unmined(self._gateway.parameters().operator):
            return True
        if lacks_checkpoint:
            self._committed = max(self._committed, self._gateway.last_submission_eon())
        paid = [debt for debt in due if debt.is_paid()]
        self._debts = [debt for debt in self._debts if debt not in paid]
        return len(paid) == len(due) and (not lacks_checkpoint or self._committed >= eon)

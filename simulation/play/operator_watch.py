"""What the play sees of the operator from outside: what it has read, and what it owes the chain."""

from __future__ import annotations

import asyncio
from typing import Final

from chain.errors import ChainError
from chain.gateway import ContractGateway
from simulation.play.parent_node import NodeRefused, ParentNode
from wallet.errors import WalletError
from wallet.operator_api import OperatorApi

RUNNING_IN_BLOCKS: Final = 2
"""Blocks beyond its threshold in which a checkpoint may be on its way without a transaction."""


class OperatorWatch:
    """Tells whether the operator is done with the newest block."""

    def __init__(
        self, api: OperatorApi, node: ParentNode, gateway: ContractGateway, confirmations: int
    ) -> None:
        self._api, self._node, self._gateway = api, node, gateway
        self._confirmations = confirmations

    async def is_done(self) -> bool:
        """Whether it has read the newest block and has sent what that block calls for."""
        try:
            status = await self._api.status()
            return await asyncio.to_thread(self._owes_nothing, status.latest_block)
        except (WalletError, ChainError, NodeRefused, OSError):
            return False

    def _owes_nothing(self, read: int) -> bool:
        head = self._node.block()
        if read < head:
            return False
        if self._node.has_unmined(self._gateway.parameters().operator):
            return True
        facts = self._gateway.submission_facts()
        threshold = 2 * self._confirmations + RUNNING_IN_BLOCKS
        if facts.era > threshold and not facts.is_submitted:
            return False
        return not (facts.live_challenges or facts.own_live_challenges)

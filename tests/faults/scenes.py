"""What happens to transactions of the operator just when they wait for their block."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from chain.fees import DynamicFee
from chain.signer import TransactionRequest, TransactionSigner
from contracts.development import OPERATOR_INDEX, development_account
from simulation.play.operator_watch import Debt
from simulation.play.scenes.faults import multiply_base_fee
from simulation.play.script import EONS_UNTIL_PAID
from simulation.play.stage import Stage

GWEI: Final = 10**9
STRANGERS_FEE: Final = DynamicFee(500 * GWEI, 400 * GWEI)
"""More than the operator bids at first: the node takes the stranger's in its place."""
TRANSFER_GAS: Final = 21_000


async def until_sent(stage: Stage) -> None:
    """For whoever has the hand: go on, block by block, until the operator waits for one."""
    operator = stage.gateway.parameters().operator
    while not await asyncio.to_thread(stage.node.has_unmined, operator):
        await stage.timeline.step()
        await stage.timeline.until_all_are_done()


@dataclass(frozen=True, slots=True)
class PaymentDue:
    """A withdrawal becomes payable: from now on blocks wait for it as for a checkpoint."""

    player: str
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Expect it."""
        player = stage.players[self.player]
        asked_in = stage.eon - EONS_UNTIL_PAID

        def is_paid() -> bool:
            return not stage.gateway.requested_amount(player.token, player.address, asked_in)

        stage.watch.expect(Debt("a payment", stage.timeline.block, is_paid))


@dataclass(frozen=True, slots=True)
class LostWhenSent:
    """The node forgets what the operator has just sent."""

    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Lose it."""
        async with stage.timeline.hand():
            await until_sent(stage)
            await asyncio.to_thread(stage.node.lose_unmined)
        stage.tally.count("transactions lost")


@dataclass(frozen=True, slots=True)
class DearWhenSent:
    """The base fee multiplies when the operator has sent something."""

    factor: int
    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Raise the price of the block that it waits for."""
        async with stage.timeline.hand():
            await until_sent(stage)
            await multiply_base_fee(stage, self.factor)
        stage.tally.count("transactions made dear")


@dataclass(frozen=True, slots=True)
class UsurpedWhenSent:
    """Other software with the operator's key uses the nonce of what the operator has sent."""

    holds: bool = False

    async def play(self, stage: Stage) -> None:
        """Put a transfer to oneself in its place, and have it mined."""
        account = development_account(OPERATOR_INDEX)
        async with stage.timeline.hand():
            await until_sent(stage)
            await asyncio.to_thread(self._usurp, stage, account.private_key)
            await asyncio.to_thread(stage.node.mine)
        stage.tally.count("nonces usurped")

    def _usurp(self, stage: Stage, key: bytes) -> None:
        signer, node = TransactionSigner(key), stage.gateway.node
        signed = signer.sign(
            TransactionRequest(
                chain_id=stage.gateway.parameters().chain_id,
                nonce=node.transaction_count(signer.address),
                to=signer.address,
                value=0,
                data=b"",
                gas_limit=TRANSFER_GAS,
                fee=STRANGERS_FEE,
            )
        )
        stage.node.ask("eth_sendRawTransaction", "0x" + signed.raw.hex())

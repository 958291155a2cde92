"""A wallet that spends its money and then withdraws it, with a proof from before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from simulation.play.operator_watch import Debt
from simulation.play.scenes.money import SHARES, pay
from simulation.play.stage import Stage


@dataclass(frozen=True, slots=True)
class OldProofWithdrawal:
    """Everything goes to a friend off chain, then the whole old balance is asked for on chain.

    The asking begins at `asks_from`. If the spending was an eon earlier, the newest checkpoint
    shows the truth, and only the one before it still proves the old balance.
    """

    cheat: str
    friend: str
    nonce: int
    asks_from: int
    holds: bool = True

    async def play(self, stage: Stage) -> None:
        """Spend, wait, ask, and see the request cancelled in time."""
        cheat, friend = stage.players[self.cheat], stage.players[self.friend]
        async with cheat.lock:
            await pay(stage, cheat, friend, share=SHARES, nonce=self.nonce)
        await stage.timeline.until(self.asks_from)
        async with cheat.lock:
            await cheat.synchronise()
            before = cheat.wallet.book_of(stage.eon - 1)
            proof = before.opening if before else None
            if proof is None or proof.balance == 0:
                return
            stage.tally.cheats.add((cheat.token, cheat.address))
            chain = stage.home.parent_chain
            mined = await asyncio.to_thread(
                chain.request_withdrawal, cheat.key, cheat.token, proof, proof.balance
            )
        stage.tally.count("dishonest withdrawals requested")
        eon = stage.clock.eon_of(mined.block)

        def is_cancelled() -> bool:
            return not stage.gateway.requested_amount(cheat.token, cheat.address, eon)

        async def cancelled() -> bool:
            return await asyncio.to_thread(is_cancelled)

        confirmed = mined.block + stage.confirmations
        stage.watch.expect(Debt("a slash", confirmed, is_cancelled))
        deadline = stage.clock.last_slash_block(eon)
        await stage.wait_for(f"the slash of {cheat.name}", cancelled, last_block=deadline)
        stage.tally.count("dishonest withdrawals cancelled")

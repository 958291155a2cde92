"""The judgement of a play: what happened, how close it was, and everything that is wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chain.events import Deposit, WithdrawalConfirmation, WithdrawalSlashed
from protocol.address import Address
from simulation.patience import patiently
from simulation.play.evidence import (
    ACTIVE_DELIVERY,
    PASSIVE_DELIVERY,
    STATE_UPDATE,
    SWAP,
    Evidence,
    gather_evidence,
)
from simulation.play.script import EONS_UNTIL_PAID, KILLED
from simulation.play.stage import Stage

AT_ONCE: Final = 8
DISPUTED: Final = (STATE_UPDATE, ACTIVE_DELIVERY, PASSIVE_DELIVERY, SWAP)
TRADED: Final = ("placed", "traded", "carried over", "cancelled")
REQUIRED: Final = (
    "wallets admitted",
    "deposits credited",
    "payments acknowledged",
    "proofs verified against the contract",
    "withdrawals requested",
    "withdrawals paid",
    "checkpoints",
    "reorganisations",
    *(f"kills of {part}" for part in KILLED),
    "node outages",
    *(f"{kind} challenges answered" for kind in DISPUTED),
    "slashes",
    *(f"orders {act}" for act in TRADED),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts by name, smallest margins in blocks by name, and what is wrong, in words."""

    counts: Mapping[str, int]
    margins: Mapping[str, int]
    faults: Sequence[str]

    @property
    def missing(self) -> list[str]:
        """What should have happened at least once and did not."""
        return [name for name in REQUIRED if not self.counts.get(name)]

    @property
    def holds(self) -> bool:
        """Whether everything happened and nothing is wrong."""
        return not self.faults and not self.missing


async def judge(stage: Stage, *, eons: int, audit: Sequence[str]) -> Verdict:
    """Hold the wallets' books, the operator's word and the contract against each other.

    `audit` is what the operator's own audit of its ledger complains of.
    """
    evidence = await asyncio.to_thread(gather_evidence, stage.gateway, stage.node)
    faults = [*stage.tally.faults, *(f"the ledger's audit: {fault}" for fault in audit)]
    if await asyncio.to_thread(stage.gateway.is_halted):
        faults.append("the commit-chain has halted")
    faults += _late(evidence, eons)
    faults += _unpaid(stage, evidence, eons)
    faults += await _unconserved(stage, evidence)
    faults += await _lost_or_doubled(stage)
    counts = Counter(stage.tally.counts)
    counts["checkpoints"] = len(evidence.checkpoints())
    counts["withdrawals paid"] = len(evidence.of(WithdrawalConfirmation))
    counts["slashes"] = len(evidence.of(WithdrawalSlashed))
    for house in stage.houses.values():
        for act, times in house.actor.acts.items():
            counts[f"orders {act}"] += times
    for dispute in evidence.disputes():
        counts[f"{dispute.kind} challenges opened"] += 1
        counts[f"{dispute.kind} challenges answered"] += dispute.answered is not None
    margins = {
        "checkpoints": evidence.checkpoint_margins(),
        "answers": evidence.answer_margins(),
        "slashes": evidence.slash_margins(),
    }
    smallest = {name: min(values) for name, values in margins.items() if values}
    return Verdict(counts, smallest, faults)


def _late(evidence: Evidence, eons: int) -> list[str]:
    submitted = evidence.checkpoints()
    faults = [f"eon {eon} has no checkpoint" for eon in range(1, eons + 1) if eon not in submitted]
    faults += [
        f"the {dispute.kind} challenge of block {dispute.opened} has no answer"
        for dispute in evidence.disputes()
        if dispute.answered is None
    ]
    return faults


def _unpaid(stage: Stage, evidence: Evidence, eons: int) -> list[str]:
    """Honest requests are paid in full when they are due, dishonest ones are cancelled."""
    due = evidence.requested(up_to_eon=eons - EONS_UNTIL_PAID)
    paid, slashed = evidence.paid(), evidence.slashed()
    names = {(one.token, one.address): one.name for one in stage.players.values()}
    faults = []
    for pair, asked in due.items():
        if paid[pair] + slashed[pair] != asked:
            faults.append(
                f"{names[pair]} asked for {asked}, was paid {paid[pair]},"
                f" and {slashed[pair]} were cancelled"
            )
    cheats = stage.tally.cheats
    faults += [f"{names[pair]} was slashed for nothing" for pair in slashed if pair not in cheats]
    faults += [f"{names[pair]} cheated and was not slashed" for pair in cheats - {*slashed}]
    return faults


async def _unconserved(stage: Stage, evidence: Evidence) -> list[str]:
    """What came in and did not go out is in the contract, and the wallets own exactly that."""
    deposited, paid = evidence.sums(Deposit), evidence.sums(WithdrawalConfirmation)
    asked, slashed = evidence.requested(up_to_eon=2**32), evidence.slashed()
    waiting = asked - evidence.paid() - slashed
    owned: Counter[Address] = Counter()
    for player in stage.admitted:
        async with player.lock:
            await player.synchronise()
            owned[player.token] += player.wallet.balance
    for (token, _), amount in waiting.items():
        owned[token] += amount
    faults = []
    for token in {*deposited, *owned}:
        held = await asyncio.to_thread(
            stage.home.parent_chain.balance, token, stage.gateway.contract
        )
        balance = deposited[token] - paid[token]
        if not held == balance == owned[token]:
            faults.append(
                f"token 0x{token.hex()}: the contract holds {held}, deposits less payments are"
                f" {balance}, the wallets own {owned[token]}"
            )
    return faults


async def _lost_or_doubled(stage: Stage) -> list[str]:
    """Every acknowledged payment stands exactly once in both wallets' records."""
    wanted: dict[tuple[int, str], list[tuple[int, int, int]]] = {}
    for entry in stage.tally.payments:
        for name in (entry.payer, entry.payee):
            key = (entry.id, entry.nonce, entry.amount)
            wanted.setdefault((entry.eon, name), []).append(key)
    few = asyncio.Semaphore(AT_ONCE)

    async def compare(eon: int, name: str, entries: list[tuple[int, int, int]]) -> list[str]:
        """What the operator says of a player's eon and the player's own record does not."""
        player = stage.players[name]
        async with few:
            state = await patiently(
                f"the record of {name}",
                lambda: stage.home.api.wallet_state(eon, player.token, player.address),
            )
        listed = Counter((t.id, t.nonce, t.amount) for t in state.transactions)
        return [
            f"payment {entry[0]} of eon {eon} stands {listed[entry]} times in {name}'s record"
            for entry in entries
            if listed[entry] != 1
        ]

    found = await asyncio.gather(*(compare(*key, entries) for key, entries in wanted.items()))
    return [fault for faults in found for fault in faults]

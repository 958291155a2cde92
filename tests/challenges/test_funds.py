"""What a wallet reads at one block, on a node that forgets a block when the next one comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from web3.types import BlockIdentifier

from protocol.address import Address
from tests.challenges.live import LiveBank, LiveWorld
from tests.ledger.world import ETH
from wallet.errors import ChainFailure
from wallet.parent_chain import LOOKS, ParentChain


@dataclass
class Hurried:
    """Mines a block in the middle of so many looks."""

    world: LiveWorld
    blocks: int
    looks: list[int] = field(default_factory=list)

    def over(self, balance: Callable[..., int]) -> Callable[..., int]:
        def look(token: Address, holder: Address, at: BlockIdentifier) -> int:
            found = balance(token, holder, at)
            self.looks.append(int(at))
            if len(self.looks) <= self.blocks:
                self.world.chain.mine()
            return found

        return look


def test_funds_are_read_again_when_a_block_comes_in_between(
    world: LiveWorld, bank: LiveBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.admit("ann")
    world.deposit("ann", 1_000)
    bank.checkpoint(1)
    bank.turn()
    funds = world.parent_chain.managed_funds(ETH, world.eon)
    assert funds >= 1_000
    for blocks in (1, LOOKS):
        chain: ParentChain = world.parent_chain
        hurried = Hurried(world, blocks)
        monkeypatch.setattr(chain, "_balance", hurried.over(chain._balance))
        if blocks < LOOKS:
            assert chain.managed_funds(ETH, world.eon) == funds
            assert len(set(hurried.looks)) == blocks + 1
        else:
            with pytest.raises(ChainFailure):
                chain.managed_funds(ETH, world.eon)
            assert len(hurried.looks) == LOOKS
    world.follow()

"""Blocks come when everybody is done with the one before, on a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from simulation.play.parent_node import ParentNode
from simulation.play.timeline import Timeline
from stack.node import AnvilNode

LONGEST_BLOCK_S = 0.5


@pytest.fixture
def node(anvil: AnvilNode) -> ParentNode:
    return ParentNode(anvil.url)


def block_hash(node: ParentNode, number: int) -> str:
    whole = (hex(number), False)
    return str(node.ask("eth_getBlockByNumber", *whole)["hash"])


async def yes(_block: int) -> bool:
    return True


def timeline_of(node: ParentNode, done: Callable[[int], Awaitable[bool]] = yes) -> Timeline:
    return Timeline(node, done, longest_block_s=LONGEST_BLOCK_S)


async def test_a_block_waits_for_the_scene_that_works_in_it(node: ParentNode) -> None:
    timeline, seen = timeline_of(node), list[int]()
    first = timeline.block

    async def scene() -> None:
        await timeline.until(first + 2)
        await asyncio.sleep(LONGEST_BLOCK_S / 2)
        seen.append(timeline.block)

    timeline.begin(scene())
    await timeline.run(first + 5)
    assert seen == [first + 2]
    assert timeline.slow_blocks == 0
    assert timeline.block == node.block() == first + 5


async def test_nobody_holds_a_block_for_ever(node: ParentNode) -> None:
    async def never(_block: int) -> bool:
        return False

    timeline = timeline_of(node, never)
    await timeline.run(timeline.block + 1)
    assert timeline.slow_blocks == 2


async def test_an_error_that_is_no_finding_ends_the_play(node: ParentNode) -> None:
    timeline = timeline_of(node)

    async def broken() -> None:
        raise ZeroDivisionError

    timeline.begin(broken())
    with pytest.raises(ZeroDivisionError):
        await timeline.run(timeline.block + 3)


async def test_a_thread_waits_for_the_next_block_without_holding_it(node: ParentNode) -> None:
    timeline = timeline_of(node)
    first = timeline.block

    async def scene() -> None:
        await asyncio.to_thread(timeline.pause_in_thread)

    timeline.begin(scene())
    await timeline.run(first + 1)
    assert timeline.slow_blocks == 0


async def test_a_branch_replaces_another_and_its_transactions_come_again(node: ParentNode) -> None:
    sender = node.ask("eth_accounts")[0]
    before = node.block()
    mark = node.remember()
    sent = node.ask("eth_sendTransaction", {"from": sender, "to": sender, "value": "0x1"})
    node.mine()
    left = block_hash(node, before + 1)
    (raw,) = node.raw_transactions(before + 1)
    node.go_back(mark)
    assert node.block() == before
    node.mine()
    assert block_hash(node, before + 1) != left
    assert node.ask("eth_getTransactionReceipt", sent) is None
    assert node.send_again(raw)
    node.mine()
    assert node.ask("eth_getTransactionReceipt", sent)["blockNumber"] == hex(before + 2)

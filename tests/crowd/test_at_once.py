"""A crowd challenges a running operator in one block: each answer is mined before its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from web3.types import RPCEndpoint

from commands.audit import find_faults
from protocol.clock import EonClock
from settings import Settings
from tests.end_to_end.conftest import BLOCKS_PER_EON, RunningOperator
from wallet.disputes import Disputes
from wallet.evidence import admitted_state
from wallet.keys import Keys
from wallet.wallet import Home, Wallet

BLOCK_CPU_S = 12.0
"""A block is mined as soon as all answers wait in the pool, at the latest after so many seconds of
the worker's own processor time: a core during one block of Ethereum's. Wall time would measure what
else the machine does."""
PATIENCE_S = 900
STRIDE = 4


@pytest.mark.timeout(2 * PATIENCE_S)
@pytest.mark.parametrize("size", [40, 100])
async def test_challenges_in_one_block_are_all_answered_in_time(
    operator: RunningOperator, home: Home, size: int
) -> None:
    crowd = [
        Wallet(home, Keys.from_text(f"one of {size}: {number}"), operator.contract)
        for number in range(size)
    ]
    for wallet in crowd:
        ask(operator, "anvil_setBalance", wallet.keys.address_text, hex(10**20))
    await asyncio.gather(*(wallet.register() for wallet in crowd))
    clock = EonClock(home.chain.genesis_block, BLOCKS_PER_EON)
    eon = clock.eon_of(operator.w3.eth.block_number) + 1
    await go_to(operator, clock.first_block(eon) + clock.epoch_blocks + 1)
    operator.mine_at_once(wanted=False)
    opened = await open_together(operator, home, crowd)
    deadline = clock.last_answer_block(opened)
    assert unanswered(home, eon) == size
    began = operator.worker_cpu_s()
    while left := unanswered(home, eon):
        used = operator.worker_cpu_s()
        await until(
            lambda left=left, used=used: (
                pending(operator) == left or operator.worker_cpu_s() - used > BLOCK_CPU_S
            )
        )
        assert operator.w3.eth.block_number < deadline, f"{left} are unanswered"
        operator.mine()
    margin = deadline - operator.w3.eth.block_number
    spent = operator.worker_cpu_s() - began
    print(f"\n{size} answers, {margin} blocks left, {spent:.1f} s of the worker's time")
    assert find_faults(Settings.development(), operator.database_url) == []


async def go_to(operator: RunningOperator, block: int) -> None:
    """Mine up to a block, never faster than the operator works."""
    while (left := block - operator.w3.eth.block_number) > 0:
        operator.mine(min(left, STRIDE))
        await operator.catch_up()


async def open_together(operator: RunningOperator, home: Home, wallets: list[Wallet]) -> int:
    """Each wallet disputes its balance, all in the same block; returns the block."""
    disputes = Disputes(home.parent_chain)

    def challenge(wallet: Wallet) -> int:
        assert wallet.registration is not None
        claim = admitted_state(wallet.registration)
        key = wallet.keys.private_key
        return disputes.challenge_admission(key, operator.contract, claim).block

    with ThreadPoolExecutor(len(wallets)) as threads:
        opening = [threads.submit(challenge, wallet) for wallet in wallets]
        await until(lambda: pending(operator) == len(wallets))
        operator.mine()
        (block,) = {one.result() for one in opening}
    return block


def unanswered(home: Home, eon: int) -> int:
    return int(home.parent_chain.functions.getLiveChallenges(eon).call())


def pending(operator: RunningOperator) -> int:
    return int(ask(operator, "txpool_status")["pending"], 16)


def ask(operator: RunningOperator, method: str, *parameters: object) -> dict[str, str]:
    """Ask the node itself for what only a development node does."""
    answer = operator.w3.provider.make_request(RPCEndpoint(method), parameters)
    return answer.get("result") or {}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.2)

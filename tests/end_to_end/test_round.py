"""The whole round through HTTP, WebSocket and the chain, with a wallet that trusts nobody."""

import asyncio

from commands.audit import find_faults
from settings import Settings
from simulation.chapters import Chapter
from simulation.round import Amounts, Round
from tests.end_to_end.conftest import RunningOperator
from wallet.wallet import Home, Wallet

AMOUNTS = Amounts(deposit=10**18, payment=3 * 10**17, repayment=10**17, withdrawal=15 * 10**16)
DELEGATED = 5 * 10**16


async def play(operator: RunningOperator, home: Home, token: bytes) -> list[Chapter]:
    chapters: list[Chapter] = []
    delegating: list[asyncio.Task[None]] = []

    def tell(chapter: Chapter) -> None:
        chapters.append(chapter)
        if chapter.title == "A withdrawal is requested on chain":
            delegating.append(asyncio.create_task(delegate(tale.payer)))

    keys = (operator.keys(1), operator.keys(2))
    tale = Round.of(home, keys, token, AMOUNTS, operator.pace(), tell)
    await tale.play()
    [delegated] = delegating
    await delegated
    left = tale.payer.balance + tale.payee.balance
    assert left == AMOUNTS.deposit - AMOUNTS.withdrawal - DELEGATED
    assert find_faults(Settings.development(), operator.database_url) == []
    return chapters


async def delegate(payer: Wallet) -> None:
    """Have the operator request a withdrawal, beside the one that the payee requests itself."""
    await payer.sync()
    await payer.delegate_withdrawal(DELEGATED)


async def test_a_wallets_money_goes_round_and_is_paid_out_on_chain(
    operator: RunningOperator, home: Home
) -> None:
    chapters = await play(operator, home, operator.contract)
    assert chapters[-1].title == "The withdrawal is paid out on chain"

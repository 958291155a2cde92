"""The whole round through HTTP, WebSocket and the chain, with a wallet that trusts nobody."""

import pytest

from commands.audit import find_faults
from protocol.editions import ContractEdition
from settings import Settings
from simulation.chapters import Chapter
from simulation.round import Amounts, Round
from tests.end_to_end.conftest import RunningOperator
from wallet.wallet import Home

AMOUNTS = Amounts(deposit=10**18, payment=3 * 10**17, repayment=10**17, withdrawal=15 * 10**16)
DELEGATED = 5 * 10**16


async def play(operator: RunningOperator, home: Home, token: bytes) -> list[Chapter]:
    chapters: list[Chapter] = []
    keys = (operator.keys(1), operator.keys(2))
    tale = Round.of(home, keys, token, AMOUNTS, operator.pace(), chapters.append)
    await tale.play()
    await delegate(tale, token)
    left = tale.payer.balance + tale.payee.balance
    assert left == AMOUNTS.deposit - AMOUNTS.withdrawal - DELEGATED
    assert find_faults(Settings.development(), operator.database_url) == []
    return chapters


async def delegate(tale: Round, token: bytes) -> None:
    """The payer has the operator request a withdrawal, and sees it on chain and in its balance."""
    payer = tale.payer
    chain, before = payer.home.parent_chain, payer.balance
    eon = chain.eon()
    await payer.delegate_withdrawal(DELEGATED)

    async def requested() -> bool:
        await payer.sync()
        listed = chain.pending_withdrawal(token, payer.keys.address, eon)
        return listed == DELEGATED and payer.balance == before - DELEGATED

    await tale.narrator.pace.wait_until("the operator's request", requested, most_blocks=20)


@pytest.mark.parametrize("edition", ContractEdition)
async def test_a_wallets_money_goes_round_and_is_paid_out_on_chain(
    operator: RunningOperator, home: Home
) -> None:
    chapters = await play(operator, home, operator.contract)
    assert chapters[-1].title == "The withdrawal is paid out on chain"

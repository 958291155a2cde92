"""Trading through HTTP, WebSocket and the chain, with wallets that trust nobody."""

from commands.audit import find_faults
from settings import Settings
from simulation.chapters import Chapter
from simulation.trade import PRICE, Trade
from tests.end_to_end.conftest import RunningOperator
from wallet.wallet import Home

AMOUNT = 4 * 10**17


async def test_two_people_trade_across_an_eon_boundary_and_prove_what_they_have(
    operator: RunningOperator, home: Home
) -> None:
    chapters: list[Chapter] = []
    tokens = {operator.contract: "ETH", operator.token: "LQD"}
    owners = operator.keys(1), operator.keys(2)
    tale = Trade.of(home, owners, tokens, AMOUNT, operator.pace(), chapters.append)
    await tale.admit_and_fund()
    order = await tale.place()
    await tale.match(order, AMOUNT // 2)
    await tale.carry(order)
    await tale.match(order, AMOUNT // 4)
    await tale.cancel(order)
    await tale.prove()
    held = [await desk.totals() for desk in (tale.seller, tale.buyer)]
    assert held == [
        {operator.contract: AMOUNT // 4, operator.token: PRICE * AMOUNT * 3 // 4},
        {operator.contract: AMOUNT * 3 // 4, operator.token: PRICE * AMOUNT // 4},
    ]
    assert find_faults(Settings.development(), operator.database_url) == []

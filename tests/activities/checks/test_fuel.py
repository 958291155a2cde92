"""The operator's ether is compared with what it may have to pay at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from activities.context import Context
from activities.fuelling import Fuelling
from activities.telling.courier import Courier
from activities.telling.hook import Hook
from chain.calls import register_token
from chain.fuel import ANSWER_GAS, ANSWERS, CHECKPOINT_GAS
from duties import alarms
from duties.checks import FuelState
from setting_types import Secret
from settings import Settings
from tests.activities.checks.conftest import open_alarms
from tests.activities.conftest import Sending
from tests.activities.telling.conftest import HookServer, hook
from tests.chain.conftest import Chain

__all__ = ["hook"]
ETHER = 10**18


@pytest.fixture
def balance(context: Context, chain: Chain) -> Iterator[Chain]:
    """The chain, whose owner has his ether back afterwards."""
    before = chain.node.balance(context.operator.address)
    yield chain
    give(chain, context, before)


def give(chain: Chain, context: Context, wei: int) -> None:
    chain.rpc("anvil_setBalance", f"0x{context.operator.address.hex()}", hex(wei))


def state(context: Context) -> str:
    return Fuelling(context).check_fuel().state


def fuel_alarm(context: Context) -> str | None:
    about = f"0x{context.operator.address.hex()}"
    alarm = open_alarms(context).get((alarms.FUEL, about))
    return None if alarm is None else alarm.severity


async def test_low_fuel_is_told_once_in_the_servers_name_and_its_end_too(
    context: Context, balance: Chain, hook: HookServer
) -> None:
    given = {"SERVER_NAME": "hub of the tests", "OWNER_BALANCE_THRESHOLD": f" {ETHER} "}
    settings = Settings.from_env(given)
    context = replace(context, fuel_threshold=settings.owner_balance_threshold_wei)
    courier = Courier(context.sessions, [Hook(Secret(hook.url), settings.server_name, str)])
    give(balance, context, ETHER - 1)
    for _ in range(3):
        assert state(context) == FuelState.LOW
        await courier.turn()
    (text,) = hook.texts()
    assert "*Server:* hub of the tests" in text and "*Severity:* warning" in text
    assert f"{ETHER - 1} wei are below {ETHER}" in text
    give(balance, context, ETHER)
    assert state(context) == FuelState.ENOUGH
    assert fuel_alarm(context) is None


def test_less_than_a_checkpoint_and_ten_answers_cost_is_critical(
    context: Context, balance: Chain
) -> None:
    report = Fuelling(context).check_fuel()
    assert report.state == FuelState.ENOUGH
    reserve = int(report.reserve)
    assert reserve % (CHECKPOINT_GAS + ANSWERS * ANSWER_GAS) == 0 and reserve > 0
    # Whatever the threshold says: dear gas needs more.
    careless = replace(context, fuel_threshold=0)
    give(balance, context, reserve - 1)
    assert state(careless) == FuelState.CRITICAL and fuel_alarm(context) == "critical"
    give(balance, context, reserve)
    assert state(careless) == FuelState.ENOUGH and fuel_alarm(context) is None
    balance.rpc("anvil_setNextBlockBaseFeePerGas", hex(500 * 10**9))
    balance.mine()
    assert state(careless) == FuelState.CRITICAL
    balance.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    balance.mine()


def test_a_critical_shortage_that_eases_becomes_a_warning(context: Context, balance: Chain) -> None:
    give(balance, context, 1)
    assert state(context) == FuelState.CRITICAL and fuel_alarm(context) == "critical"
    give(balance, context, ETHER - 1)
    assert state(context) == FuelState.LOW and fuel_alarm(context) == "warning"
    give(balance, context, ETHER)
    assert state(context) == FuelState.ENOUGH and fuel_alarm(context) is None


def test_what_is_under_way_does_not_count_for_the_reserve(
    context: Context, sending: Sending, token: bytes, balance: Chain
) -> None:
    reserve = int(Fuelling(context).check_fuel().reserve)
    intent = sending.open("register", register_token(context.gateway.contract, token).data)
    sending.broadcast(intent)
    careless = replace(context, fuel_threshold=0)
    give(balance, context, reserve + 1)
    assert state(careless) == FuelState.CRITICAL
    give(balance, context, reserve + ETHER)
    assert state(careless) == FuelState.ENOUGH
    balance.mine()

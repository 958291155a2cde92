"""Whether the operator's account can pay for what it owes."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio import activity

from activities.context import Context
from chain.fuel import reserve
from chain.gas import read_fee_market
from duties import alarms, tasks
from duties.checks import FuelReport, FuelState
from ledger.alarms import clear_alarm, raise_alarm
from ledger.transactions.spending import claimed_funds
from models import Alarm


class Fuelling:
    """Carries out `check_fuel`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.CHECK_FUEL.name)
    def check_fuel(self) -> FuelReport:
        """Compare the account's ether with the threshold and with the reserve; raise or clear.

        What transactions under way may cost does not count for the reserve.
        """
        account, node = self._context.operator.address, self._context.gateway.node
        balance = node.balance(account)
        needed = reserve(read_fee_market(node), self._context.fees)
        threshold = self._context.fuel_threshold
        with self._context.sessions.begin() as session:
            free = balance - claimed_funds(session, account, except_intents=())
            if free < needed:
                state = FuelState.CRITICAL
                message = f"{free} wei are free, a checkpoint and ten answers cost {needed}"
            elif balance < threshold:
                state, message = FuelState.LOW, f"{balance} wei are below {threshold}"
            else:
                state, message = FuelState.ENOUGH, ""
            _report(session, f"0x{account.hex()}", state, message)
        return FuelReport(state.value, str(balance), str(threshold), str(needed))


def _report(session: Session, about: str, state: FuelState, message: str) -> None:
    severity = session.scalar(
        select(Alarm.severity).where(
            Alarm.subject == alarms.FUEL, Alarm.object == about, Alarm.cleared_at.is_(None)
        )
    )
    has_recovered = severity == alarms.CRITICAL and state is not FuelState.CRITICAL
    if state is FuelState.ENOUGH or has_recovered:
        clear_alarm(session, alarms.FUEL, about)
    if state is FuelState.LOW:
        raise_alarm(session, alarms.WARNING, alarms.FUEL, about, message)
    elif state is FuelState.CRITICAL:
        raise_alarm(session, alarms.CRITICAL, alarms.FUEL, about, message)

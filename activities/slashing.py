"""The steps of a slash: what is to be dropped, and the intents that drop it."""

from __future__ import annotations

from sqlalchemy import select, update
from temporalio import activity

from activities.context import Context
from activities.slash_preflight import (
    CRITICAL_SLASH,
    SLASH,
    SlashCheck,
    check_slash,
    read_decision,
)
from chain.calls import Call
from duties import alarms, names, tasks
from duties.eons import Opening, Readiness
from duties.slashes import OpenSlash, SlashBook, SlashOrder
from ledger.alarms import raise_alarm
from ledger.slashing import give_up_slash
from ledger.transactions.intents import NewIntent, open_intent
from models import Slash
from protocol.address import checksum_address


class SlashWork:
    """Carries out `read_slash` and `open_slash`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.READ_SLASH.name)
    def read_slash(self, order: SlashOrder) -> SlashBook:
        """What of a decision is still to be dropped, from the ledger."""
        with self._context.sessions() as session:
            clock = self._context.rules(session).clock
            status = session.scalars(select(Slash.status).where(Slash.id == order.slash)).one()
            queued = read_decision(session, order.slash).queued
        if not queued:
            return SlashBook(status=status)
        return SlashBook(
            open_requests=queued.total(),
            total=str(sum(amount for _, amount in queued.elements())),
            deadline_block=clock.last_slash_block(min(eon for eon, _ in queued)),
            status=status,
        )

    @activity.defn(name=tasks.OPEN_SLASH.name)
    def open_slash(self, order: OpenSlash) -> Opening:
        """Check the slash at the head and open the intent that carries it out.

        `done`: somebody has slashed already, the event will settle it. `blocked`: it can never be
        carried out; the decision is given up and a person is called.
        """
        check = check_slash(self._context, order.order.slash)
        if check.readiness == Readiness.BLOCKED:
            self._give_up(order.order, check.reason)
        if check.call is None:
            return Opening(check.readiness, reason=check.reason)
        return self._open(order, check, check.call)

    def _open(self, order: OpenSlash, check: SlashCheck, call: Call) -> Opening:
        one = order.order
        workflow_id = names.slash_id(one.short_name, one.address, one.eon, one.number)
        with self._context.sessions.begin() as session:
            clock = self._context.rules(session).clock
            intent = open_intent(
                session,
                NewIntent(
                    key=names.slash_key(workflow_id, order.revision),
                    duty=CRITICAL_SLASH if check.must_land else SLASH,
                    account=self._context.operator.address,
                    callee=call.to,
                    calldata=call.data,
                    earliest_block=clock.first_block(one.eon),
                    deadline_block=check.deadline_block,
                ),
            )
            session.execute(update(Slash).where(Slash.id == one.slash).values(intent_id=intent.id))
        return Opening(Readiness.READY, intent.key, intent.id, deadline_block=intent.deadline_block)

    def _give_up(self, order: SlashOrder, reason: str) -> None:
        with self._context.sessions.begin() as session:
            decision = read_decision(session, order.slash)
            give_up_slash(session, order.slash)
            total = sum(amount for _, amount in decision.queued.elements())
            about = f"{decision.name} {checksum_address(decision.holder)}"
            message = f"{total} units requested in vain cannot be cancelled: {reason}"
            raise_alarm(session, alarms.CRITICAL, alarms.UNBACKED_WITHDRAWAL, about, message)

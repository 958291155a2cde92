"""What a desk sees in the ledger, and the intents that pay."""

from __future__ import annotations

from sqlalchemy import update
from temporalio import activity

from activities.context import Context
from activities.preflight import CONFIRMATION, check_payment, open_requests
from chain.calls import confirm_withdrawal
from duties import names, tasks
from duties.eons import Opening, Readiness
from duties.withdrawals import Desk, DeskBook, OpenConfirmation
from ledger.transactions.intents import NewIntent, open_intent
from models import WithdrawalRequest
from protocol.encoding import MAX_U256


class DeskWork:
    """Carries out `read_desk` and `open_confirmation`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.READ_DESK.name)
    def read_desk(self, desk: Desk) -> DeskBook:
        """The desk's open requests; those of amount 0 are closed here, without a transaction."""
        with self._context.sessions.begin() as session:
            clock = self._context.rules(session).clock
            found = open_requests(session, bytes.fromhex(desk.token), bytes.fromhex(desk.address))
            requests = [one for one in found if one.amount > 0]
            session.execute(
                update(WithdrawalRequest)
                .where(WithdrawalRequest.id.in_([one.id for one in found if one.amount == 0]))
                .values(status="paid")
            )
        if not requests:
            return DeskBook()
        return DeskBook(
            open_requests=len(requests),
            first_payable_block=clock.first_payable_block(requests[0].eon),
            newest_request=requests[-1].id,
            total=str(min(sum(one.amount for one in requests), MAX_U256)),
        )

    @activity.defn(name=tasks.OPEN_CONFIRMATION.name)
    def open_confirmation(self, order: OpenConfirmation) -> Opening:
        """Check the payment at the head and open the intent that makes it.

        `wait`: the chain owes nothing now, events will tell. `blocked`: a person must look.
        """
        token, holder = bytes.fromhex(order.desk.token), bytes.fromhex(order.desk.address)
        check = check_payment(self._context, token, holder)
        if check.reason:
            readiness = Readiness.WAIT if check.settled else Readiness.BLOCKED
            return Opening(readiness, reason=check.reason)
        contract = self._context.gateway.contract
        call = confirm_withdrawal(contract, token=token, holder=holder)
        with self._context.sessions.begin() as session:
            newest = open_requests(session, token, holder)[-1].id
            intent = open_intent(
                session,
                NewIntent(
                    key=names.confirmation_key(
                        order.desk.short_name, order.desk.address, newest, order.revision
                    ),
                    duty=CONFIRMATION,
                    account=self._context.operator.address,
                    callee=call.to,
                    calldata=call.data,
                    gas_ceiling=check.gas_ceiling,
                ),
            )
        return Opening(Readiness.READY, intent.key, intent.id)

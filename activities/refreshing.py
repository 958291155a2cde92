"""One write an eon and token into the published contract's ring of pending totals."""

from __future__ import annotations

from typing import Final

from activities.context import Context
from chain.calls import confirm_withdrawal
from duties import names, notices
from ledger.duty_notices import notice
from ledger.pending_refresh import lacking_tokens
from ledger.transactions.intents import NewIntent, open_intent

REFRESH: Final = "refresh"


def refresh_pending(context: Context) -> int:
    """Open a payment of nothing for each token that needs one; returns how many there are.

    The operator itself never has requests on chain, so a payment to it is one of nothing, and the
    contract writes the running total all the same.
    """
    with context.sessions.begin() as session:
        rules = context.rules(session)
        lacking = lacking_tokens(session, rules)
        for token in lacking:
            call = confirm_withdrawal(
                rules.contract, token=token.address, holder=rules.operator.address
            )
            intent = open_intent(
                session,
                NewIntent(
                    key=names.refresh_key(token.short_name, token.eon),
                    duty=REFRESH,
                    account=rules.operator.address,
                    callee=call.to,
                    calldata=call.data,
                    earliest_block=rules.clock.first_block(token.eon),
                    deadline_block=rules.clock.last_block(token.eon),
                ),
            )
            title = f"Refresh the pending total of {token.short_name} in eon {token.eon}"
            arguments = {"intent_id": intent.id, "key": intent.key, "title": title}
            notice(session, f"opened-{intent.key}", notices.TRANSACTION_OPENED, arguments)
    return len(lacking)

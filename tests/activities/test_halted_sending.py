"""What a halted contract can only refuse is ended, and its nonce does not block what follows."""

from __future__ import annotations

from sqlalchemy import update

from chain.calls import register_token
from duties.transactions import Ending, Stage
from ledger.transactions.attempts import CANCELS
from models import TransactionIntent
from tests.activities.conftest import CONFIRMATIONS, Sending

HALTED = "the commit-chain is halted"


async def test_after_the_halt_a_sent_payment_gives_its_nonce_up_and_a_waiting_one_ends(
    sending: Sending, token: bytes
) -> None:
    chain, context = sending.chain, sending.context
    call = register_token(context.gateway.contract, token)
    # Any call that passes before the halt will do: what counts is the duty that it is sent for.
    sent = sending.open("slash-1", call.data, duty="token_registration")
    assert sending.broadcast(sent).stage == Stage.SENT
    with context.sessions.begin() as session:
        session.execute(update(TransactionIntent).values(duty="slash"))
    chain.rpc("anvil_dropAllTransactions")
    chain.mine_to(context.gateway.clock().first_block(2) + 1)
    assert context.gateway.is_halted()
    waiting = sending.open("slash-2", call.data, duty="slash")
    ended = sending.broadcast(waiting)
    assert (ended.stage, ended.ending, ended.reason) == (Stage.ENDED, Ending.REFUSED, HALTED)
    assert sending.intent(waiting).nonce is None
    sending.broadcast(sent)
    first, second = sending.attempts(sent)
    assert (first.outcome, second.outcome) == (None, CANCELS)
    assert first.nonce == second.nonce
    chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(sent)).ending == Ending.CANCELLED
    still_useful = sending.open("register-r1", call.data, duty="token_registration")
    assert sending.broadcast(still_useful).stage == Stage.SENT

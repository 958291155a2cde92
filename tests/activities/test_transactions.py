"""The operator's transactions, whatever is killed, stolen, priced out or reorganised."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

import activities.clearing as clearing
from chain.calls import confirm_withdrawal, register_token, submit_checkpoint
from chain.signer import TransactionSigner
from chain.transactions import find_receipt
from duties import alarms
from duties.transactions import Ending, Stage
from ledger.transactions.nonces import pause_account
from models import Alarm
from protocol.encoding import ZERO_HASH
from tests.activities.conftest import CONFIRMATIONS, GWEI, Sending
from tests.chain.conftest import Chain

ROOT = bytes([7]) * 32


class Killed(BaseException):
    """The process ends here."""


def killing(original: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    """The function as it runs in a process that dies right before or right after it."""

    def dying(*arguments: Any, **named: Any) -> Any:
        if not before:
            original(*arguments, **named)
        raise Killed

    return dying


@pytest.fixture
def registration(sending: Sending, token: bytes) -> int:
    call = register_token(sending.context.gateway.contract, token)
    return sending.open("register-r1", call.data, duty="token_registration")


@pytest.mark.parametrize("before", [True, False], ids=["before-sending", "after-sending"])
async def test_a_crash_around_sending_leads_to_the_same_bytes(
    sending: Sending, registration: int, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(clearing, "send_raw", killing(clearing.send_raw, before=before))
        with pytest.raises(Killed):
            sending.broadcast(registration)
    stored = [bytes(attempt.raw) for attempt in sending.attempts(registration)]
    assert len(stored) == 1
    assert sending.broadcast(registration).reason == ""
    sending.chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(registration)).ending == Ending.CONFIRMED
    assert [bytes(attempt.raw) for attempt in sending.attempts(registration)] == stored


async def test_an_intent_is_final_at_depth_and_not_before(
    sending: Sending, registration: int
) -> None:
    assert sending.broadcast(registration).stage == Stage.SENT
    sending.chain.mine(CONFIRMATIONS)
    watcher = broadcasting_watcher(sending)
    assert watcher(registration).stage == Stage.MINED
    sending.chain.mine()
    progress = watcher(registration)
    assert (progress.stage, progress.ending) == (Stage.ENDED, Ending.CONFIRMED)
    assert sending.intent(registration).state == "confirmed"


def broadcasting_watcher(sending: Sending) -> Callable[[int], Any]:
    """Single looks, without the patience of the activity."""
    from activities.watching import Watcher

    return lambda intent: Watcher(sending.context)._look(intent).progress


async def test_a_nonce_that_somebody_else_used_is_an_ordinary_event(
    sending: Sending, registration: int, operator: TransactionSigner, token: bytes
) -> None:
    sending.broadcast(registration)
    (ours,) = sending.attempts(registration)
    sending.chain.rpc("anvil_dropTransaction", "0x" + bytes(ours.hash).hex())
    call = register_token(sending.context.gateway.contract, token)
    sending.chain.execute(operator, call)
    with sending.chain.mining_every(0.2):
        progress = await sending.watch(registration)
    assert progress.ending == Ending.USURPED
    with sending.context.sessions() as session:
        raised = session.scalars(select(Alarm.subject)).all()
    assert alarms.NONCE_USURPED in raised
    # The nonce is free for whoever comes next, and no attempt is sent again.
    assert sending.broadcast(registration).ending == Ending.USURPED


async def test_an_overtaken_fee_is_replaced_by_a_dearer_one_with_the_same_nonce(
    sending: Sending, registration: int
) -> None:
    sending.broadcast(registration)
    (first,) = sending.attempts(registration)
    sending.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(first.fee_cap + GWEI))
    sending.chain.mine()
    progress = sending.broadcast(registration)
    assert (progress.stage, progress.attempts) == (Stage.SENT, 2)
    first, second = sending.attempts(registration)
    assert second.nonce == first.nonce
    assert second.fee_cap * 100 >= first.fee_cap * 110 and second.tip * 100 >= first.tip * 110
    sending.chain.mine(1 + CONFIRMATIONS)
    progress = await sending.watch(registration)
    assert (progress.ending, progress.tx_hash) == (
        Ending.CONFIRMED,
        "0x" + bytes(second.hash).hex(),
    )


def test_a_person_has_more_offered_at_once(sending: Sending, registration: int) -> None:
    sending.broadcast(registration)
    sending.broadcast(registration)
    assert len(sending.attempts(registration)) == 1
    sending.broadcast(registration, forced=True)
    first, second = sending.attempts(registration)
    assert second.nonce == first.nonce and second.fee_cap * 100 >= first.fee_cap * 110


async def test_no_replacement_exceeds_the_ceiling(sending: Sending, registration: int) -> None:
    sending.broadcast(registration)
    (first,) = sending.attempts(registration)
    poor = sending.with_context(fees=_ceiling(sending, first.fee_cap))
    sending.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(first.fee_cap + GWEI))
    sending.chain.mine()
    assert poor.broadcast(registration).attempts == 1
    with sending.context.sessions() as session:
        raised = session.scalars(select(Alarm.subject)).all()
    assert alarms.FEE_CEILING in raised


def _ceiling(sending: Sending, wei: int) -> Any:
    from dataclasses import replace

    return replace(sending.context.fees, ceiling=wei, critical_ceiling=wei)


async def test_the_cheaper_attempt_counts_when_it_is_the_one_that_was_mined(
    sending: Sending, registration: int
) -> None:
    sending.broadcast(registration)
    (first,) = sending.attempts(registration)
    mark = sending.chain.mark()
    sending.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(first.fee_cap + GWEI))
    sending.chain.mine()
    sending.broadcast(registration)
    second = sending.attempts(registration)[1]
    sending.chain.rpc("anvil_dropTransaction", "0x" + bytes(second.hash).hex())
    sending.chain.return_to(mark)
    sending.chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    sending.chain.rpc("eth_sendRawTransaction", "0x" + bytes(first.raw).hex())
    sending.chain.mine(1 + CONFIRMATIONS)
    progress = await sending.watch(registration)
    assert progress.tx_hash == "0x" + bytes(first.hash).hex()
    assert progress.ending == Ending.CONFIRMED


async def test_a_lost_block_sends_the_same_bytes_again(
    sending: Sending, registration: int, chain: Chain
) -> None:
    sending.broadcast(registration)
    mark = chain.mark()
    chain.mine()
    look = broadcasting_watcher(sending)
    assert look(registration).stage == Stage.MINED
    (stored,) = sending.attempts(registration)
    chain.return_to(mark)
    chain.rpc("anvil_dropTransaction", "0x" + bytes(stored.hash).hex())
    chain.mine(2)
    assert look(registration).stage == Stage.QUIET
    assert sending.intent(registration).state == "broadcast"
    sending.broadcast(registration)
    chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(registration)).ending == Ending.CONFIRMED
    assert [attempt.hash for attempt in sending.attempts(registration)] == [stored.hash]


async def test_a_reverted_transaction_names_the_contracts_reason(
    sending: Sending, chain: Chain
) -> None:
    gateway = sending.context.gateway
    call = submit_checkpoint(gateway.contract, accumulator=ZERO_HASH, root=ROOT)
    intent = sending.open("checkpoint-1-r1", call.data, duty="checkpoint")
    sending.broadcast(intent)
    (attempt,) = sending.attempts(intent)
    chain.rpc("anvil_dropTransaction", "0x" + bytes(attempt.hash).hex())
    chain.mine_to(gateway.clock().first_block(2))
    # In eon 2 the missing root of eon 1 has halted the chain.
    chain.rpc("eth_sendRawTransaction", "0x" + bytes(attempt.raw).hex())
    chain.mine()
    progress = await sending.watch(intent)
    assert (progress.ending, progress.letter) == (Ending.REVERTED, "p")
    assert "halted" in progress.reason


def test_what_the_contract_refuses_is_never_sent_and_costs_no_nonce(
    sending: Sending, registration: int, operator: TransactionSigner, token: bytes
) -> None:
    sending.chain.execute(operator, register_token(sending.context.gateway.contract, token))
    progress = sending.broadcast(registration)
    assert (progress.stage, progress.ending) == (Stage.ENDED, Ending.REFUSED)
    assert sending.intent(registration).nonce is None
    assert sending.attempts(registration) == []


def test_a_nonce_that_waits_in_the_pool_for_somebody_else_is_not_taken(
    sending: Sending, registration: int, operator: TransactionSigner, chain: Chain
) -> None:
    call = submit_checkpoint(sending.context.gateway.contract, accumulator=ZERO_HASH, root=ROOT)
    foreign = chain.send(operator, call)
    sending.broadcast(registration)
    chain.mine()
    assert find_receipt(chain.node, foreign) is not None
    (ours,) = sending.attempts(registration)
    assert find_receipt(chain.node, bytes(ours.hash)) is not None


def test_a_paused_account_gives_no_nonce(sending: Sending, registration: int) -> None:
    with sending.context.sessions.begin() as session:
        pause_account(session, sending.context.operator.address, paused=True)
    progress = sending.broadcast(registration)
    assert (progress.stage, progress.reason) == (Stage.WAITING, "sending is paused")
    with sending.context.sessions.begin() as session:
        pause_account(session, sending.context.operator.address, paused=False)
    assert sending.broadcast(registration).stage == Stage.SENT


def test_unmined_ordinary_transactions_are_limited_and_checkpoints_are_not(
    sending: Sending, registration: int
) -> None:
    crowded = sending.with_context(in_flight_limit=1)
    crowded.broadcast(registration)
    contract = sending.context.gateway.contract
    call = confirm_withdrawal(contract, token=contract, holder=bytes([5]) * 20)
    more = sending.open("another", call.data)
    assert crowded.broadcast(more).stage == Stage.WAITING
    call = submit_checkpoint(contract, accumulator=ZERO_HASH, root=ROOT)
    checkpoint = sending.open("checkpoint-1-r1", call.data, duty="checkpoint")
    assert crowded.broadcast(checkpoint).stage == Stage.SENT


def test_an_account_without_funds_waits_and_calls_a_person(
    sending: Sending, registration: int, chain: Chain
) -> None:
    owner = "0x" + sending.context.operator.address.hex()
    before = hex(chain.node.balance(sending.context.operator.address))
    chain.rpc("anvil_setBalance", owner, hex(10**9))
    try:
        assert sending.broadcast(registration).stage == Stage.WAITING
    finally:
        chain.rpc("anvil_setBalance", owner, before)
    with sending.context.sessions() as session:
        assert alarms.SENDING_HELD in session.scalars(select(Alarm.subject)).all()
    assert sending.intent(registration).nonce is None


async def test_a_cancelled_intent_gives_its_nonce_to_a_transfer_to_oneself(
    sending: Sending, registration: int, token: bytes, chain: Chain
) -> None:
    sending.broadcast(registration)
    progress = sending.broadcast(registration, cancelling=True)
    assert progress.attempts == 2
    chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(registration)).ending == Ending.CANCELLED
    assert sending.context.gateway.token_trail(token) == 0


async def test_a_chain_that_comes_back_shorter_gets_forgotten_transactions_again(
    sending: Sending, registration: int, chain: Chain, operator: TransactionSigner
) -> None:
    mark = chain.mark()
    sending.broadcast(registration)
    chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(registration)).ending == Ending.CONFIRMED
    (first,) = sending.attempts(registration)
    chain.return_to(mark)
    chain.rpc("anvil_dropTransaction", "0x" + bytes(first.hash).hex())
    call = submit_checkpoint(sending.context.gateway.contract, accumulator=ZERO_HASH, root=ROOT)
    later = sending.open("checkpoint-1-r1", call.data, duty="checkpoint")
    sending.broadcast(later)
    chain.mine(1 + CONFIRMATIONS)
    assert find_receipt(chain.node, bytes(first.hash)) is not None
    assert (await sending.watch(later)).ending == Ending.CONFIRMED

"""Confirmed events of the contract become money, once, in the eon of their block."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from ledger.chain_events import apply_confirmed_events
from ledger.checkpoint import build_checkpoint
from ledger.closing import close_eon
from ledger.confirmed.desks import notify_payable_desks
from ledger.duty_notices import undelivered
from ledger.refusals import LedgerInvariant
from ledger.tokens import activate_token, add_token
from models import (
    Alarm,
    ChainEvent,
    Deposit,
    ExclusiveBalanceAllotment,
    Notification,
    OrphanDeposit,
    RootCommitment,
    WalletEon,
    Withdrawal,
    WithdrawalRequest,
)
from protocol.keccak import keccak256
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, LQD, World, key, text_of

pytestmark = pytest.mark.usefixtures("audited")

ALICE = key("alice").address
STREAM = f"wallet/{text_of(ETH)}/{text_of(ALICE)}"


def account(ledger: World, wallet_id: int, eon: int) -> WalletEon:
    with ledger.begin() as session:
        return session.get_one(WalletEon, (wallet_id, eon))


def told(ledger: World, event: str) -> list[object]:
    with ledger.begin() as session:
        rows = select(Notification.payload).where(
            Notification.event == event, Notification.streams == [STREAM]
        )
        return list(session.scalars(rows.order_by(Notification.id)))


def alarms(ledger: World) -> list[str]:
    with ledger.begin() as session:
        return list(session.scalars(select(Alarm.subject).order_by(Alarm.id)))


def open_alarms(ledger: World) -> list[str]:
    with ledger.begin() as session:
        return list(session.scalars(select(Alarm.subject).where(Alarm.cleared_at.is_(None))))


def statuses(ledger: World) -> list[tuple[int, str]]:
    with ledger.begin() as session:
        rows = select(WithdrawalRequest.amount, WithdrawalRequest.status)
        return [(a, s) for a, s in session.execute(rows.order_by(WithdrawalRequest.id))]


def confirmation(ledger: World, amount: int, block: int) -> None:
    ledger.event("WithdrawalConfirmation", block=block, token=ETH, requestor=ALICE, amount=amount)
    ledger.confirm(block)


def slash(ledger: World, *, eon: int, block: int, previous: int, current: int) -> None:
    ledger.event(
        "WithdrawalSlashed",
        block=block,
        token=ETH,
        requestor=ALICE,
        eon=eon,
        previous_eon_amount=previous,
        current_eon_amount=current,
    )
    ledger.confirm(block)


def close(ledger: World, eon: int) -> None:
    with ledger.begin() as session:
        session.execute(
            text("INSERT INTO eon (number, closed_at) VALUES (:eon, now())"), {"eon": eon}
        )


def test_a_deposit_counts_when_its_block_is_confirmed_and_not_before(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.event("Deposit", block=150, token=ETH, recipient=ALICE, amount=1000)
    assert ledger.confirm(149) == 0
    with ledger.begin() as session:
        assert session.scalar(select(Deposit.id)) is None
    assert ledger.confirm(150) == 1
    assert account(ledger, wallet.id, 1).deposited == 1000
    with ledger.begin() as session:
        deposit = session.scalars(select(Deposit)).one()
    assert told(ledger, "CONFIRMED_DEPOSIT") == [
        {
            "txid": bytes(deposit.transaction_hash).hex(),
            "block": 150,
            "eon_number": 1,
            "amount": "1000",
            "time": int(deposit.time.timestamp()),
        }
    ]


def test_an_event_is_applied_once_however_often_it_is_asked_for(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.event("Deposit", block=150, token=ETH, recipient=ALICE, amount=1000)
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: ledger.confirm(150), range(4)))
    assert sum(applied) == 1
    assert account(ledger, wallet.id, 1).deposited == 1000


def test_orphaned_events_are_never_applied(ledger: World) -> None:
    ledger.admit("alice")
    event = ledger.event("Deposit", block=150, token=ETH, recipient=ALICE, amount=1000)
    with ledger.begin() as session:
        session.get_one(ChainEvent, event).orphaned = True
    assert ledger.confirm(200) == 0


def test_deposits_of_both_sides_of_a_turn_land_in_their_own_eons(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.move_to(283)
    ledger.event("Deposit", block=279, token=ETH, recipient=ALICE, amount=1)
    ledger.event("Deposit", block=279, token=ETH, recipient=ALICE, amount=2)
    ledger.event("Deposit", block=280, token=ETH, recipient=ALICE, amount=4)
    assert ledger.confirm(280) == 3
    assert account(ledger, wallet.id, 1).deposited == 3
    assert account(ledger, wallet.id, 2).deposited == 4


def test_money_for_a_closed_eon_stops_the_ledger(ledger: World) -> None:
    ledger.admit("alice")
    ledger.move_to_eon(2)
    close(ledger, 1)
    ledger.event("Deposit", block=279, token=ETH, recipient=ALICE, amount=1)
    with pytest.raises(LedgerInvariant, match="closed"):
        ledger.confirm(279)
    with ledger.begin() as session:
        assert not session.scalars(select(ChainEvent)).one().applied


def test_a_deposit_racing_its_wallets_registration_is_never_lost(ledger: World) -> None:
    requests = {name: ledger.admission(name) for name in (f"racer {n}" for n in range(12))}
    for name in requests:
        ledger.event("Deposit", block=150, token=ETH, recipient=key(name).address, amount=7)

    def deposits() -> None:
        for _ in range(12):
            with ledger.begin() as session:
                apply_confirmed_events(session, ledger.rules, 150, limit=1)

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(deposits), *(pool.submit(ledger.admit, name) for name in requests)]
        for job in jobs:
            job.result()
    with ledger.begin() as session:
        amounts = session.scalars(select(WalletEon.deposited).where(WalletEon.deposited > 0)).all()
        waiting = session.scalars(
            select(OrphanDeposit).where(OrphanDeposit.deposit_id.is_(None))
        ).all()
    assert (amounts, waiting) == ([7] * 12, [])


def test_a_batch_is_bounded_and_says_that_more_is_waiting(ledger: World) -> None:
    ledger.admit("alice")
    for _ in range(3):
        ledger.event("Deposit", block=150, token=ETH, recipient=ALICE, amount=1)
    seen = []
    for _ in range(3):
        with ledger.begin() as session:
            result = apply_confirmed_events(session, ledger.rules, 150, limit=2)
            seen.append((result.applied, result.more))
    assert seen == [(2, True), (1, False), (0, False)]


def test_money_of_a_token_that_nobody_named_waits_for_its_name(ledger: World) -> None:
    strange = b"\x07" * 20
    ledger.event("TokenRegistered", block=149, token=strange, trail=2)
    ledger.event("Deposit", block=150, token=strange, recipient=ALICE, amount=7)
    assert ledger.confirm(150) == 2
    assert alarms(ledger) == ["token unknown to the ledger"]
    with ledger.begin() as session:
        add_token(session, ledger.rules, strange, name="Strange", short_name="STR")
        activate_token(session, ledger.rules, strange, 2)
    assert open_alarms(ledger) == []
    wallet = ledger.admit("alice", strange)
    assert account(ledger, wallet.id, 1).deposited == 7


def test_a_request_is_taken_out_of_the_account_told_and_handed_to_its_desk(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.deposit("alice", 500)
    ledger.request_withdrawal("alice", 200)
    assert account(ledger, wallet.id, 1).withdrawn == 200
    with ledger.begin() as session:
        request = session.scalars(select(WithdrawalRequest)).one()
        notices = undelivered(session, 10)
    assert told(ledger, "REQUESTED_WITHDRAWAL") == [
        {
            "txid": bytes(request.transaction_hash).hex(),
            "block": request.block,
            "eon_number": 1,
            "amount": "200",
            "time": int(request.time.timestamp()),
            "slashed": False,
        }
    ]
    assert [(one.kind, dict(one.arguments)) for one in notices] == [
        (
            "withdrawal-requested",
            {"token": ETH.hex(), "address": ALICE.hex(), "short_name": "ETH"},
        )
    ]


def test_a_desk_is_woken_once_in_the_block_from_which_its_request_is_payable(
    ledger: World,
) -> None:
    ledger.admit("alice")
    ledger.request_withdrawal("alice", 200)
    clock = ledger.rules.clock
    payable = clock.first_payable_block(1)
    with ledger.begin() as session:
        notify_payable_desks(session, clock, payable - 3, payable - 1)
        assert "withdrawal-payable" not in [one.kind for one in undelivered(session, 10)]
        notify_payable_desks(session, clock, payable - 1, payable + 1)
        notify_payable_desks(session, clock, payable, payable)
        woken = [one for one in undelivered(session, 10) if one.kind == "withdrawal-payable"]
    assert [dict(one.arguments) for one in woken] == [
        {"token": ETH.hex(), "address": ALICE.hex(), "short_name": "ETH"}
    ]


def test_a_strangers_request_is_kept_and_calls_a_person(ledger: World) -> None:
    ledger.request_withdrawal("stranger", 200)
    with ledger.begin() as session:
        request = session.scalars(select(WithdrawalRequest)).one()
        assert (request.wallet_id, request.amount) == (None, 200)
        assert undelivered(session, 10) == []
    assert alarms(ledger) == ["withdrawal request without a wallet"]


def test_a_payment_settles_the_oldest_requests_and_changes_no_balance(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.request_withdrawal("alice", 200)
    ledger.move_to_eon(2)
    ledger.request_withdrawal("alice", 50)
    ledger.move_to_eon(3)
    ledger.request_withdrawal("alice", 5)
    ledger.move_to_eon(4, sub_block=70)
    block = ledger.rules.clock.first_block(4) + 61
    confirmation(ledger, 250, block)
    assert statuses(ledger) == [(200, "paid"), (50, "paid"), (5, "pending")]
    assert account(ledger, wallet.id, 1).withdrawn == 200
    with ledger.begin() as session:
        paid = session.scalars(select(Withdrawal).order_by(Withdrawal.id)).all()
    assert [(one.amount, one.eon, one.block) for one in paid] == [
        (200, 4, block),
        (50, 4, block),
    ]
    payloads = told(ledger, "CONFIRMED_WITHDRAWAL")
    requests = told(ledger, "REQUESTED_WITHDRAWAL")
    assert [dict(one)["request"] for one in payloads] == requests[:2]  # type: ignore[call-overload]
    assert [dict(one)["eon_number"] for one in payloads] == [4, 4]  # type: ignore[call-overload]
    with ledger.begin() as session:
        assert [one.kind for one in undelivered(session, 10)][-1] == "withdrawal-settled"


def test_a_payment_that_does_not_add_up_freezes_the_desk(ledger: World) -> None:
    ledger.admit("alice")
    ledger.request_withdrawal("alice", 200)
    ledger.request_withdrawal("alice", 50)
    ledger.move_to_eon(3, sub_block=70)
    confirmation(ledger, 220, ledger.rules.clock.first_block(3) + 61)
    assert statuses(ledger) == [(200, "blocked"), (50, "blocked")]
    assert alarms(ledger) == ["withdrawals do not add up"]
    assert told(ledger, "CONFIRMED_WITHDRAWAL") == []


def test_a_payment_of_nothing_has_no_effect(ledger: World) -> None:
    ledger.admit("alice")
    ledger.request_withdrawal("alice", 200)
    confirmation(ledger, 0, 150)
    assert statuses(ledger) == [(200, "pending")]
    assert alarms(ledger) == []


def test_a_slash_gives_back_what_open_eons_requested(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.request_withdrawal("alice", 200)
    ledger.move_to_eon(2, sub_block=1)
    ledger.request_withdrawal("alice", 30)
    slash(ledger, eon=2, block=281, previous=200, current=30)
    assert statuses(ledger) == [(200, "slashed"), (30, "slashed")]
    assert account(ledger, wallet.id, 1).withdrawn == 0
    assert account(ledger, wallet.id, 2).withdrawn == 0
    assert alarms(ledger) == []


def commit_eon_2(ledger: World) -> None:
    """Close eon 1 and build the checkpoint that follows it."""
    ledger.move_to_eon(2)
    with ledger.begin() as session:
        close_eon(session, ledger.rules, 1)
    build_checkpoint(ledger.engine, ledger.rules, 2)


def allotted(ledger: World, wallet_id: int) -> int:
    with ledger.begin() as session:
        leaf = session.get_one(ExclusiveBalanceAllotment, (wallet_id, 2))
    return leaf.right_bound - leaf.left_bound


def test_a_slash_that_the_checkpoint_counted_needs_nobody(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.deposit("alice", 500)
    ledger.request_withdrawal("alice", 200)
    Bank(ledger).queue_slash("alice")
    commit_eon_2(ledger)
    assert allotted(ledger, wallet.id) == 500
    slash(ledger, eon=2, block=290, previous=200, current=0)
    assert statuses(ledger) == [(200, "slashed")]
    assert account(ledger, wallet.id, 1).withdrawn == 0
    assert alarms(ledger) == []


def test_a_slash_of_what_a_checkpoint_deducted_calls_a_person(ledger: World) -> None:
    wallet = ledger.admit("alice")
    ledger.deposit("alice", 500)
    ledger.request_withdrawal("alice", 200)
    commit_eon_2(ledger)
    assert allotted(ledger, wallet.id) == 300
    slash(ledger, eon=2, block=290, previous=200, current=0)
    assert alarms(ledger) == ["slashed after its checkpoint deducted it"]


def test_a_slash_of_other_amounts_than_the_ledgers_freezes_the_desk(ledger: World) -> None:
    ledger.admit("alice")
    ledger.request_withdrawal("alice", 200)
    slash(ledger, eon=1, block=150, previous=0, current=199)
    assert statuses(ledger) == [(200, "blocked")]
    assert alarms(ledger) == ["withdrawals do not add up"]


def test_a_submitted_root_is_committed_and_a_foreign_one_calls_a_person(ledger: World) -> None:
    commit_eon_2(ledger)
    with ledger.begin() as session:
        own = bytes(session.scalars(select(RootCommitment.merkle_root)).one())
    ledger.event("CheckpointSubmission", block=300, eon=2, root=own)
    ledger.confirm(300)
    assert alarms(ledger) == []
    ledger.event("CheckpointSubmission", block=301, eon=2, root=keccak256(b"foreign"))
    ledger.confirm(301)
    assert alarms(ledger) == ["foreign root on chain"]
    with ledger.begin() as session:
        assert session.scalars(select(RootCommitment.status)).all() == ["committed"]


def test_the_registration_of_a_known_token_is_nothing_new(ledger: World) -> None:
    ledger.event("TokenRegistered", block=150, token=LQD, trail=1)
    assert ledger.confirm(150) == 1
    assert alarms(ledger) == []

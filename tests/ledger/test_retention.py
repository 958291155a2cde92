"""What is deleted, and what is never."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from ledger import retention
from ledger.alarms import clear_alarm, raise_alarm
from ledger.blocks import Block, store_blocks
from ledger.chain_accumulator import accumulator_of
from ledger.duty_notices import mark_delivered, notice, undelivered
from ledger.notifications import tell
from ledger.retention import RULES, bounds, prune
from models import (
    Alarm,
    AlarmDelivery,
    AlarmMessage,
    ChainEvent,
    ContractState,
    DutyNotice,
    Notification,
)
from protocol.keccak import keccak256
from tests.ledger.world import World

DAY = timedelta(days=1)
AGE = 30 * DAY
EONS_KEPT = 5


def prune_all(ledger: World, eon: int = 1) -> dict[str, int]:
    """Delete everything that may go, by table."""
    limits = bounds(ledger.rules.clock, current_eon=eon, eons_kept=EONS_KEPT, age=AGE)
    deleted: dict[str, int] = {}
    for rule in RULES:
        while True:
            with ledger.begin() as session:
                count = prune(session, rule, limits)
            deleted[rule.table] = deleted.get(rule.table, 0) + count
            if count == 0:
                break
    return {table: count for table, count in deleted.items() if count}


def age(ledger: World, table: str, by: timedelta, *columns: str) -> None:
    """Make the rows of a table older."""
    with ledger.begin() as session:
        for column in columns or ("time",):
            session.execute(text(f"UPDATE {table} SET {column} = {column} - :by"), {"by": by})


def store_chain(ledger: World, eons: int) -> None:
    """Blocks of the first eons, ten an eon are enough for none of the rules."""
    clock = ledger.rules.clock
    blocks, parent = [], bytes(32)
    for number in range(clock.genesis_block, clock.last_block(eons) + 1):
        block_hash = keccak256(number.to_bytes(8, "big"))
        blocks.append(Block(number, block_hash, parent, number))
        parent = block_hash
    with ledger.begin() as session:
        store_blocks(session, clock, blocks, [])


def test_old_blocks_go_but_for_the_borders_of_their_eons(ledger: World) -> None:
    clock, newest = ledger.rules.clock, 8
    store_chain(ledger, newest)
    with ledger.begin() as session:
        before = {eon: accumulator_of(session, clock, eon) for eon in range(newest + 1)}
    kept_from = clock.first_block(newest - EONS_KEPT)
    assert prune_all(ledger, newest) == {
        "contract_state": (newest - EONS_KEPT - 1) * (clock.blocks_per_eon - 2)
    }
    with ledger.begin() as session:
        left = set(session.scalars(select(ContractState.block)))
        after = {eon: accumulator_of(session, clock, eon) for eon in range(newest + 1)}
    assert set(range(kept_from, clock.last_block(newest) + 1)) <= left
    old = sorted(block for block in left if block < kept_from)
    assert old == sorted(
        border
        for eon in range(1, newest - EONS_KEPT)
        for border in (clock.first_block(eon), clock.last_block(eon))
    )
    assert after == before
    assert prune_all(ledger, newest) == {}


def test_orphaned_blocks_go_with_their_events_and_applied_events_stay(ledger: World) -> None:
    clock = ledger.rules.clock
    store_chain(ledger, 7)
    border = clock.first_block(1)
    with ledger.begin() as session:
        for number, (orphaned, applied) in enumerate(((True, False), (False, True))):
            session.add(
                ChainEvent(
                    block=border,
                    block_hash=bytes([number]) * 32,
                    log_index=0,
                    transaction_hash=bytes(32),
                    eon=1,
                    name="Deposit",
                    arguments={},
                    orphaned=orphaned,
                    applied=applied,
                )
            )
        session.add(
            ContractState(
                block=border,
                block_hash=bytes(32),
                parent_hash=bytes(32),
                timestamp=1,
                basis=bytes(32),
                orphaned=True,
            )
        )
    deleted = prune_all(ledger, 7)
    assert deleted["chain_event"] == 1
    with ledger.begin() as session:
        assert session.scalars(select(ChainEvent.applied)).all() == [True]
        assert session.scalar(select(func.count()).where(ContractState.orphaned)) == 0


def test_only_delivered_notices_go_however_old(ledger: World) -> None:
    with ledger.begin() as session:
        notice(session, "one", "eon-began", {"eon": 1})
        mark_delivered(session, [one.id for one in undelivered(session, 100)])
        notice(session, "two", "eon-began", {"eon": 2})
    age(ledger, "duty_notice", AGE - DAY)
    assert prune_all(ledger) == {}
    age(ledger, "duty_notice", 2 * DAY)
    assert prune_all(ledger) == {"duty_notice": 1}
    with ledger.begin() as session:
        assert session.scalars(select(DutyNotice.key)).all() == ["two"]


def test_what_wallets_were_told_goes_after_a_day(ledger: World) -> None:
    with ledger.begin() as session:
        session.execute(text("DELETE FROM notification"))
        tell(session, "EVENT", ["stream"])
    age(ledger, "notification", timedelta(hours=23))
    assert prune_all(ledger) == {}
    age(ledger, "notification", timedelta(hours=2))
    assert prune_all(ledger) == {"notification": 1}
    with ledger.begin() as session:
        assert session.scalars(select(Notification.id)).all() == []


def test_ended_alarms_go_with_their_messages_and_open_ones_stay(ledger: World) -> None:
    with ledger.begin() as session:
        for about in ("open", "ended"):
            raise_alarm(session, "warning", "late", about, "a message")
        clear_alarm(session, "late", "ended")
        messages = session.scalars(select(AlarmMessage.id)).all()
        session.execute(text("UPDATE alarm_message SET assigned_at = now() WHERE object = 'ended'"))
        session.add_all(AlarmDelivery(message_id=one, channel="hook") for one in messages)
    age(ledger, "alarm", AGE + DAY, "time", "cleared_at")
    age(ledger, "alarm_message", AGE + DAY)
    deleted = prune_all(ledger)
    assert deleted["alarm"] == 1 and deleted["alarm_message"] >= 1
    with ledger.begin() as session:
        assert session.scalars(select(Alarm.object)).all() == ["open"]
        # What nobody was told yet is not deleted.
        assert "open" in session.scalars(select(AlarmMessage.object)).all()


def test_a_step_is_small_and_leaves_what_others_hold(
    ledger: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    with ledger.begin() as session:
        for number in range(5):
            tell(session, "EVENT", [f"stream {number}"])
    age(ledger, "notification", 2 * DAY)
    rule = next(rule for rule in RULES if rule.table == "notification")
    limits = bounds(ledger.rules.clock, current_eon=1, eons_kept=EONS_KEPT, age=AGE)
    with ledger.begin() as holding:
        held = holding.scalars(
            select(Notification).order_by(Notification.id).limit(1).with_for_update()
        ).one()
        with ledger.begin() as session:
            assert prune(session, rule, limits) == 3
            left = session.scalars(select(Notification.id)).all()
        assert held.id in left

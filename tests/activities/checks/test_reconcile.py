"""What must run and does not is started again, from the ledger alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.adoption import Adoptions
from activities.context import Context
from activities.reconciling import RUNNING, Reconciling
from duties import alarms, names
from duties.checks import ReconcileReport
from ledger.alarms import raise_alarm
from ledger.tokens import add_token
from ledger.transactions.intents import NewIntent, change_state, open_intent
from models import (
    ChainEvent,
    ChainView,
    Challenge,
    RootCommitment,
    Slash,
    Token,
    TransactionIntent,
    Wallet,
    WithdrawalRequest,
)
from tests.activities.checks.conftest import open_alarms
from tests.api.serving import eventually

pytestmark = pytest.mark.asyncio
HOLDER = bytes([0xCD]) * 20
Follow = Callable[[], None]


@pytest.fixture
def ledger(context: Context, follow: Follow) -> Context:
    """An operator in eon 1 with one of each: eon, challenge, slash, token, desk, transaction."""
    follow()
    Adoptions(context).add_native_token()
    with context.sessions.begin() as session:
        rules = context.rules(session)
        add_token(session, rules, bytes([9]) * 20, name="Nine", short_name="NINE")
        _request(session, session.scalars(select(Token.id).where(Token.state == "active")).one())
        intent = open_intent(
            session,
            NewIntent("repair-7", "repair", rules.operator.address, rules.contract, b""),
        )
        session.add(Slash(wallet_id=session.scalars(select(Wallet.id)).one(), eon=1, number=1))
        intent.time = func.now() - timedelta(minutes=5)
        session.add(
            Challenge(
                block_hash=bytes(32),
                log_index=0,
                transaction_hash=bytes(32),
                token_or_conduit=rules.contract,
                recipient=HOLDER,
                sender=HOLDER,
                kind="state_update",
                eon=1,
                initial_state_eon=0,
                issue_block=rules.clock.first_block(1),
                deadline_block=rules.clock.last_block(1),
            )
        )
    return context


def _request(session: Any, token_id: int) -> None:
    place = {"block": 1, "transaction_hash": bytes(32), "eon": 1}
    event = ChainEvent(
        block_hash=bytes(32),
        log_index=0,
        name="WithdrawalRequest",
        arguments={},
        applied=True,
        **place,
    )
    session.add(event)
    session.flush()
    session.add(
        WithdrawalRequest(event_id=event.id, token_id=token_id, address=HOLDER, amount=5, **place)
    )


def expected(context: Context) -> set[str]:
    with context.sessions.begin() as session:
        challenge = session.scalars(select(Challenge.id)).one()
    return {
        names.CHAIN_SYNC_ID,
        names.eon_id(1),
        names.challenge_id(challenge, HOLDER.hex(), HOLDER.hex()),
        names.slash_id("ETH", context.operator.address.hex(), 1),
        names.token_registration_id("NINE", "09" * 20),
        names.withdrawal_desk_id("ETH", HOLDER.hex()),
        names.transaction_id("repair-7"),
    }


async def reconcile(context: Context, client: Client) -> ReconcileReport:
    report = await ActivityEnvironment().run(Reconciling(context, client).reconcile)
    assert isinstance(report, ReconcileReport)
    return report


async def is_running(client: Client, workflow_id: str) -> bool:
    try:
        described = await client.get_workflow_handle(workflow_id).describe()
    except RPCError:
        return False
    return described.status == WorkflowExecutionStatus.RUNNING


async def end_all(client: Client, wanted: set[str]) -> None:
    """Terminate duties and wait until the list of running ones, which lags behind, has none."""
    for identity in wanted:
        await client.get_workflow_handle(identity).terminate("a test of the emergency")

    async def none_is_listed() -> bool:
        return not {one.id async for one in client.list_workflows(RUNNING)} & wanted

    await eventually(none_is_listed)


async def test_every_missing_duty_is_started_and_an_alarm_until_it_is_seen_running(
    ledger: Context, temporal: Client
) -> None:
    wanted = expected(ledger)
    report = await reconcile(ledger, temporal)
    assert (report.expected, report.started) == (len(wanted), len(wanted))
    assert set(report.names) == wanted
    for identity in wanted:
        assert await is_running(temporal, identity), identity
    assert {about for subject, about in open_alarms(ledger)} >= wanted

    async def all_are_seen() -> bool:
        again = await reconcile(ledger, temporal)
        assert again.started == 0
        return not any(subject == alarms.DUTY_MISSING for subject, _ in open_alarms(ledger))

    await eventually(all_are_seen)


async def test_a_terminated_duty_comes_back_while_the_ledger_needs_it(
    ledger: Context, temporal: Client
) -> None:
    await reconcile(ledger, temporal)
    wanted = expected(ledger)
    await end_all(temporal, wanted)
    assert set((await reconcile(ledger, temporal)).names) == wanted
    await end_all(temporal, wanted)
    # All that was owed is done now.
    with ledger.sessions.begin() as session:
        session.execute(update(Challenge).values(status="orphaned"))
        session.execute(update(WithdrawalRequest).values(status="paid"))
        session.execute(update(Slash).values(status="done"))
        change_state(session, session.scalars(select(TransactionIntent.id)).one(), "confirmed")
        session.execute(
            update(Token).where(Token.state == "pending").values(state="active", trail=1)
        )
        session.add(
            RootCommitment(eon=1, merkle_root=bytes(32), block=1, status="committed", basis=None)
        )
    assert (await reconcile(ledger, temporal)).names == (names.CHAIN_SYNC_ID,)


async def test_what_cannot_go_on_or_has_only_begun_is_left_alone(
    ledger: Context, temporal: Client
) -> None:
    registration = names.token_registration_id("NINE", "09" * 20)
    with ledger.sessions.begin() as session:
        raise_alarm(session, "warning", alarms.TOKEN_BLOCKED, registration, "no code")
        session.execute(update(TransactionIntent).values(time=func.now()))
    report = await reconcile(ledger, temporal)
    assert not {registration, names.transaction_id("repair-7")} & set(report.names)
    assert report.started == len(expected(ledger)) - 2


async def test_the_running_eon_is_not_expected_of_a_halted_chain(
    ledger: Context, temporal: Client
) -> None:
    with ledger.sessions.begin() as session:
        session.execute(update(ChainView).values(intake="halted"))
    report = await reconcile(ledger, temporal)
    assert names.eon_id(1) not in report.names and report.started > 0


async def test_the_alarm_of_a_failing_duty_ends_with_the_duty(
    ledger: Context, temporal: Client
) -> None:
    await reconcile(ledger, temporal)

    async def is_visible() -> bool:
        return (await reconcile(ledger, temporal)).started == 0 and not any(
            subject == alarms.DUTY_MISSING for subject, _ in open_alarms(ledger)
        )

    await eventually(is_visible)
    with ledger.sessions.begin() as session:
        raise_alarm(session, "warning", alarms.DUTY_FAILING, names.eon_id(1), "it fails")
        raise_alarm(session, "warning", alarms.DUTY_FAILING, "tx-gone", "it failed")
    await reconcile(ledger, temporal)
    failing = {about for subject, about in open_alarms(ledger) if subject == alarms.DUTY_FAILING}
    assert failing == {names.eon_id(1)}

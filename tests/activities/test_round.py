"""A checkpoint and a payment, step by step, on a real database, node and contract."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text
from temporalio.testing import ActivityEnvironment

from activities.adoption import Adoptions, UnsuitedContract
from activities.context import Context
from activities.eons import CheckpointWork
from activities.proof_sample import require_accepted
from activities.withdrawals import DeskWork
from chain.calls import deposit
from chain.parameters import ContractParameters
from chain.signer import TransactionSigner
from duties import alarms
from duties.eons import Opening, OpenSubmission, Readiness
from duties.tokens import OpenRegistration, TokenTerms
from duties.transactions import Ending
from duties.withdrawals import Desk, OpenConfirmation
from ledger.audit import CheckpointInconsistent
from ledger.parameters import ForeignDatabase
from models import Alarm, ChainEvent, RootCommitment, Token, Wallet, WithdrawalRequest
from protocol.encoding import ZERO_HASH
from tests.activities.conftest import CONFIRMATIONS, Sending
from tests.chain.conftest import Chain

ETHER = 10**18
Follow = Callable[[], None]


@pytest.fixture
def steps(context: Context, chain: Chain, follow: Follow) -> CheckpointWork:
    """An operator with its native token, ready for the checkpoint of eon 1."""
    follow()
    Adoptions(context).add_native_token()
    chain.mine(2 * CONFIRMATIONS)
    follow()
    return CheckpointWork(context)


async def build(steps: CheckpointWork, eon: int) -> str:
    """Close, build and prove; returns the root."""
    await ActivityEnvironment().run(steps.close_eon, eon - 1)
    built = await ActivityEnvironment().run(steps.build_checkpoint, eon)
    verdict = await ActivityEnvironment().run(steps.verify_checkpoint, eon)
    assert verdict.overclaims == ()
    await ActivityEnvironment().run(steps.announce_checkpoint, eon)
    return str(built.root)


async def submit(steps: CheckpointWork, sending: Sending, eon: int) -> Opening:
    """Have the root mined and final."""
    opening = steps.open_submission(OpenSubmission(eon, 1))
    sending.broadcast(opening.intent_id)
    sending.chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(opening.intent_id)).ending == Ending.CONFIRMED
    return opening


async def test_the_checkpoint_of_the_first_eon_is_built_submitted_and_recorded(
    context: Context, sending: Sending, steps: CheckpointWork, follow: Follow
) -> None:
    root = await build(steps, 1)
    assert steps.record_commitment(1).readiness == Readiness.WAIT
    opening = await submit(steps, sending, 1)
    assert opening.key == "checkpoint-1-r1"
    assert opening.deadline_block == context.gateway.clock().last_block(1)
    follow()
    assert steps.record_commitment(1).readiness == Readiness.DONE
    facts = context.gateway.submission_facts()
    assert (facts.last_submission_eon, facts.last_root.hex()) == (1, root)
    with context.sessions() as session:
        stored = session.scalars(select(RootCommitment)).one()
    assert (stored.status, stored.basis) == ("committed", ZERO_HASH)


async def test_an_operator_that_was_down_until_eight_blocks_before_the_end_commits_in_time(
    context: Context, sending: Sending, chain: Chain, follow: Follow
) -> None:
    clock = context.gateway.clock()
    chain.mine_to(clock.last_block(1) - 7)
    follow()
    Adoptions(context).add_native_token()
    steps = CheckpointWork(context)
    await build(steps, 1)
    opening = await submit(steps, sending, 1)
    assert opening.deadline_block == clock.last_block(1)
    assert context.gateway.last_submission_eon() == 1
    assert clock.eon_of(chain.node.head().number) == 1


async def test_every_step_may_be_repeated(
    context: Context, sending: Sending, steps: CheckpointWork
) -> None:
    first = await build(steps, 1)
    assert await build(steps, 1) == first
    one = steps.open_submission(OpenSubmission(1, 1))
    assert steps.open_submission(OpenSubmission(1, 1)).intent_id == one.intent_id
    await submit(steps, sending, 1)
    assert steps.open_submission(OpenSubmission(1, 2)).readiness == Readiness.DONE
    with context.sessions() as session:
        assert session.scalar(select(func.count()).select_from(RootCommitment)) == 1


async def test_a_stored_checkpoint_that_was_tampered_with_is_not_announced(
    context: Context, steps: CheckpointWork
) -> None:
    await ActivityEnvironment().run(steps.close_eon, 0)
    await ActivityEnvironment().run(steps.build_checkpoint, 1)
    with context.sessions.begin() as session:
        session.execute(
            text("UPDATE exclusive_balance_allotment SET right_bound = right_bound + 1")
        )
    with pytest.raises(CheckpointInconsistent):
        await ActivityEnvironment().run(steps.verify_checkpoint, 1)


async def test_a_root_whose_proofs_the_contract_refuses_is_an_alarm_until_it_takes_them(
    context: Context, steps: CheckpointWork
) -> None:
    await build(steps, 1)
    require_accepted(context, 1)
    with context.sessions.begin() as session:
        session.execute(text("UPDATE token_commitment SET upper_bound = upper_bound + 1"))
    with pytest.raises(CheckpointInconsistent, match="1 of 1 proofs: wallet"):
        require_accepted(context, 1)
    with context.sessions.begin() as session:
        [alarm] = session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None))).all()
        assert (alarm.subject, alarm.object) == (alarms.PROOF_REFUSED, "eon-1")
        session.execute(text("UPDATE token_commitment SET upper_bound = upper_bound - 1"))
    require_accepted(context, 1)
    with context.sessions() as session:
        assert session.scalar(select(Alarm.id).where(Alarm.cleared_at.is_(None))) is None


async def test_a_root_of_somebody_else_is_recognised(
    context: Context, sending: Sending, steps: CheckpointWork, operator: TransactionSigner
) -> None:
    from chain.calls import submit_checkpoint

    await build(steps, 1)
    foreign = submit_checkpoint(
        context.gateway.contract, accumulator=ZERO_HASH, root=bytes([3]) * 32
    )
    sending.chain.execute(operator, foreign)
    assert steps.open_submission(OpenSubmission(1, 1)).readiness == Readiness.FOREIGN


async def test_an_allotment_above_the_contracts_funds_is_an_overclaim(
    context: Context, steps: CheckpointWork
) -> None:
    await build(steps, 1)
    with context.sessions.begin() as session:
        session.execute(text("UPDATE token_commitment SET upper_bound = 17"))
    (overclaim,) = steps.read_bounds(1).overclaims
    assert overclaim == "ETH: 17 allotted, 0 held"


async def test_a_token_is_registered_activated_and_has_the_operators_wallet(
    context: Context, sending: Sending, steps: CheckpointWork, token: bytes
) -> None:
    adoptions = Adoptions(context)
    terms = TokenTerms(token.hex(), "Liquidity", "LQD")
    opening = adoptions.open_registration(OpenRegistration(terms, 1))
    assert opening.readiness == Readiness.READY
    sending.broadcast(opening.intent_id)
    sending.chain.mine(1 + CONFIRMATIONS)
    assert (await sending.watch(opening.intent_id)).ending == Ending.CONFIRMED
    assert adoptions.activate_token(terms).trail == 1
    assert adoptions.open_registration(OpenRegistration(terms, 2)).readiness == Readiness.DONE
    with context.sessions() as session:
        stored = session.scalars(select(Token).where(Token.address == token)).one()
        owner = session.scalars(select(Wallet).where(Wallet.token_id == stored.id)).one()
    assert (stored.state, stored.trail, owner.trail_identifier) == ("active", 1, 0)


def test_what_must_never_be_a_token_is_refused(context: Context, steps: CheckpointWork) -> None:
    adoptions = Adoptions(context)
    native = TokenTerms(context.gateway.contract.hex(), "Twice", "TWO")
    nobody = TokenTerms("77" * 20, "Nobody", "NO")
    for terms in (native, nobody):
        assert adoptions.open_registration(OpenRegistration(terms, 1)).readiness == (
            Readiness.BLOCKED
        )


def test_a_database_of_another_contract_is_refused_at_the_start(context: Context) -> None:
    with context.sessions.begin() as session:
        session.execute(text("UPDATE contract_parameters SET blocks_per_eon = 61"))
    with pytest.raises(ForeignDatabase, match="blocks_per_eon"):
        Adoptions(context).adopt_contract()


def test_an_eon_too_short_for_the_confirmations_is_refused_at_the_start(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    found = context.gateway.parameters()
    short: ContractParameters = replace(found, blocks_per_eon=4 * 11)
    monkeypatch.setattr(context.gateway, "_parameters", short)
    with pytest.raises(UnsuitedContract, match="11 blocks"):
        Adoptions(context).adopt_contract()
    monkeypatch.setattr(context.gateway, "_parameters", replace(found, blocks_per_eon=60))
    Adoptions(context).adopt_contract()


def test_a_desk_without_requests_is_empty_and_one_without_payable_ones_waits(
    context: Context, steps: CheckpointWork, holder: TransactionSigner, follow: Follow
) -> None:
    contract = context.gateway.contract
    call = deposit(contract, token=contract, beneficiary=holder.address, amount=ETHER)
    Chain(context.gateway.node).execute(holder, call)
    desk = Desk(contract.hex(), "ETH", holder.address.hex())
    work = DeskWork(context)
    assert work.read_desk(desk).open_requests == 0
    opening = work.open_confirmation(OpenConfirmation(desk, 1))
    assert opening.readiness == Readiness.WAIT
    with context.sessions() as session:
        assert session.scalars(select(WithdrawalRequest)).all() == []


def test_a_request_of_nothing_is_closed_without_a_transaction(
    context: Context, steps: CheckpointWork, holder: TransactionSigner, follow: Follow
) -> None:
    contract = context.gateway.contract
    with context.sessions.begin() as session:
        event = ChainEvent(
            block=1,
            block_hash=bytes(32),
            log_index=0,
            transaction_hash=bytes(32),
            eon=1,
            name="WithdrawalRequest",
            arguments={},
            applied=True,
        )
        session.add(event)
        session.flush()
        session.add(
            WithdrawalRequest(
                event_id=event.id,
                token_id=session.scalars(select(Token.id)).one(),
                address=holder.address,
                amount=0,
                eon=1,
                block=1,
                transaction_hash=bytes(32),
            )
        )
    desk = Desk(contract.hex(), "ETH", holder.address.hex())
    assert DeskWork(context).read_desk(desk).open_requests == 0
    with context.sessions() as session:
        assert session.scalars(select(WithdrawalRequest.status)).all() == ["paid"]

"""Each check of the ledger against the contract, and against itself, fails when it should."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text, update
from temporalio.testing import ActivityEnvironment

from activities.adoption import Adoptions
from activities.context import Context
from activities.eons import CheckpointWork
from activities.sanity.work import Sanity
from chain.calls import deposit
from chain.signer import TransactionSigner
from duties import alarms
from duties.checks import SanityReport
from duties.eons import OpenSubmission
from ledger.blocks import newest_block
from models import Challenge, ContractState, RootCommitment
from protocol.keccak import keccak256
from tests.activities.checks.conftest import open_alarms
from tests.activities.conftest import CONFIRMATIONS, Sending
from tests.chain.conftest import Chain

pytestmark = pytest.mark.asyncio
ETHER = 10**18
Follow = Callable[[], None]
Key = tuple[str, str]


@pytest.fixture
def ledger(
    context: Context, chain: Chain, follow: Follow, holder: TransactionSigner
) -> Iterator[Context]:
    """An operator in eon 1 whose own wallet has ten ether, and a stranger's has one."""
    follow()
    Adoptions(context).add_native_token()
    contract = context.gateway.contract
    for beneficiary, amount in ((context.operator.address, 10), (holder.address, 1)):
        call = deposit(contract, token=contract, beneficiary=beneficiary, amount=amount * ETHER)
        chain.execute(holder, call)
    chain.mine(2 * CONFIRMATIONS)
    follow()
    yield context
    set_balance(context, chain, 11 * ETHER)


def set_balance(context: Context, chain: Chain, wei: int) -> None:
    chain.rpc("anvil_setBalance", f"0x{context.gateway.contract.hex()}", hex(wei))


async def check(context: Context) -> SanityReport:
    report = await ActivityEnvironment().run(Sanity(context).check_sanity)
    assert isinstance(report, SanityReport) and report.unchecked == ()
    return report


async def found(context: Context) -> dict[Key, str]:
    """What the check raises, with severities."""
    report = await check(context)
    raised = {key: row.severity for key, row in open_alarms(context).items()}
    assert len(report.findings) == len(raised)
    return raised


async def test_a_sound_ledger_raises_nothing(ledger: Context) -> None:
    assert await found(ledger) == {}


async def test_money_without_an_owner_is_a_fact_and_missing_money_a_danger(
    ledger: Context, chain: Chain
) -> None:
    set_balance(ledger, chain, 11 * ETHER + 50)
    assert await found(ledger) == {(alarms.FUNDS_EXTRA, "ETH"): "information"}
    set_balance(ledger, chain, 11 * ETHER - 1)
    assert await found(ledger) == {(alarms.FUNDS_MISSING, "ETH"): "critical"}
    message = open_alarms(ledger)[alarms.FUNDS_MISSING, "ETH"].message
    assert f"{11 * ETHER - 1}" in message and f"{11 * ETHER}" in message
    set_balance(ledger, chain, 11 * ETHER)
    assert await found(ledger) == {}


async def test_a_deposit_counts_before_it_is_confirmed(
    ledger: Context, chain: Chain, follow: Follow, holder: TransactionSigner
) -> None:
    contract = ledger.gateway.contract
    call = deposit(contract, token=contract, beneficiary=holder.address, amount=ETHER)
    chain.execute(holder, call)
    follow()
    assert await found(ledger) == {}


@pytest.mark.parametrize(
    "corruption",
    [
        "UPDATE wallet_eon SET deposited = deposited + 1",
        "UPDATE wallet_eon SET gained = gained + 1",
        "UPDATE deposit SET amount = amount - 1",
    ],
)
async def test_books_that_do_not_add_up_are_found(ledger: Context, corruption: str) -> None:
    with ledger.sessions.begin() as session:
        session.execute(text(corruption))
    assert (alarms.CONSERVATION, "ETH") in await found(ledger)


async def test_another_contract_than_the_stored_one_is_found(ledger: Context) -> None:
    with ledger.sessions.begin() as session:
        session.execute(text(f"UPDATE contract_parameters SET code_hash = '\\x{'00' * 32}'"))
    assert await found(ledger) == {(alarms.CONTRACT_CHANGED, "contract"): "critical"}
    message = open_alarms(ledger)[alarms.CONTRACT_CHANGED, "contract"].message
    assert message == "other than stored: code_hash"


async def test_an_operation_without_event_shows_in_the_accumulator(ledger: Context) -> None:
    with ledger.sessions.begin() as session:
        newest = newest_block(session)
        assert newest is not None
        session.execute(
            update(ContractState)
            .where(ContractState.block == newest.number)
            .values(basis=keccak256(b"another"))
        )
    assert (alarms.ACCUMULATOR, "chain") in await found(ledger)


async def test_a_challenge_that_only_one_side_knows_is_found(ledger: Context) -> None:
    with ledger.sessions.begin() as session:
        clock = ledger.rules(session).clock
        session.add(
            Challenge(
                block_hash=bytes(32),
                log_index=0,
                transaction_hash=bytes(32),
                token_or_conduit=ledger.gateway.contract,
                recipient=bytes(20),
                sender=bytes(20),
                kind="state_update",
                eon=1,
                initial_state_eon=0,
                issue_block=clock.first_block(1),
                deadline_block=clock.last_block(1),
            )
        )
    raised = await found(ledger)
    assert [subject for subject, _ in raised] == [alarms.DISPUTE_COUNT]


async def test_another_root_on_chain_than_the_ledgers_is_found(
    ledger: Context, sending: Sending, follow: Follow
) -> None:
    steps = CheckpointWork(ledger)
    await ActivityEnvironment().run(steps.close_eon, 0)
    await ActivityEnvironment().run(steps.build_checkpoint, 1)
    sending.broadcast(steps.open_submission(OpenSubmission(1, 1)).intent_id)
    sending.chain.mine(1 + CONFIRMATIONS)
    follow()
    assert await found(ledger) == {}
    with ledger.sessions.begin() as session:
        session.execute(update(RootCommitment).values(merkle_root=keccak256(b"another")))
    assert (alarms.CHECKPOINT_FOREIGN, "eon-1") in await found(ledger)


async def test_what_cannot_be_compared_is_said_and_ends_no_alarm(
    ledger: Context, chain: Chain
) -> None:
    set_balance(ledger, chain, 11 * ETHER - 1)
    await found(ledger)
    set_balance(ledger, chain, 11 * ETHER)
    # Nobody follows the chain.
    chain.mine()
    report = await ActivityEnvironment().run(Sanity(ledger).check_sanity)
    assert "the contract's funds" in report.unchecked
    assert (alarms.FUNDS_MISSING, "ETH") in open_alarms(ledger)

"""The operator's activities on a real database, a real node and our own contract."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from activities.adoption import Adoptions
from activities.broadcasting import Broadcaster
from activities.context import Context, Pace
from activities.following import Follower
from activities.watching import Watcher
from chain.fees import FeePolicy
from chain.gateway import ContractGateway
from chain.signer import TransactionSigner
from contracts.deployment import deploy_token
from duties.tokens import TokenTerms
from duties.transactions import Broadcast, Progress, Watch
from ledger.rules import LedgerPolicy
from ledger.transactions.intents import NewIntent, open_intent
from models import TransactionAttempt, TransactionIntent
from models.engine import open_engine, open_sessions
from protocol.signing import Signer
from tests.chain.conftest import (
    Chain,
    account_key,
    chain,
    gateway,
    holder,
    libraries,
    node,
    operator,
)

__all__ = ["chain", "gateway", "holder", "libraries", "node", "operator"]

GWEI = 10**9
CONFIRMATIONS = 3


@pytest.fixture
def token(chain: Chain) -> bytes:
    """A token that the contract does not know yet; account 9 owns all of it."""
    with chain.mining_at_once():
        return bytes(deploy_token(chain.node.w3, account_key(9), "LQD", "LQD", 10**27))


@pytest.fixture
def context(
    database_url: str, gateway: ContractGateway, token: bytes, tmp_path: Path
) -> Iterator[Context]:
    """An operator that has adopted the contract and knows the terms."""
    terms = tmp_path / "terms.json"
    terms.write_text(f'{{"tosHash": "{"0a" * 32}", "privacyHash": "0x{"0b" * 32}"}}')
    engine = open_engine(database_url, application_name="tests", pool_size=10)
    key = account_key(0)
    context = Context(
        engine=engine,
        sessions=open_sessions(engine),
        gateway=gateway,
        operator=Signer(key),
        policy=_policy(token, Signer(key).address),
        fees=FeePolicy(
            ceiling=300 * GWEI,
            critical_ceiling=1_000 * GWEI,
            min_tip=GWEI,
            bump_percent=15,
            bump_after_blocks=4,
        ),
        pace=Pace(poll_s=0.05, block_time_s=1.0, batch_blocks=64),
        terms_url=terms.as_uri(),
        sla_token=TokenTerms(token.hex(), "LQD", "LQD"),
        accepts_published=True,
        signer=TransactionSigner(key),
    )
    adoptions = Adoptions(context)
    adoptions.adopt_contract()
    adoptions.fetch_terms()
    yield context
    engine.dispose()


def _policy(token: bytes, owner: bytes) -> LedgerPolicy:
    return LedgerPolicy(
        confirmations=CONFIRMATIONS,
        checkpoint_threshold_blocks=2 * CONFIRMATIONS,
        swaps_enabled=True,
        sla_threshold=100,
        sla_price=10**18,
        sla_duration_days=30,
        sla_token=token,
        sla_recipient=owner,
        terms_grace_days=7,
        bulk_admission_limit=20,
        registrations_per_address_limit=1_000,
        registrations_per_eon_limit=100_000,
        overclaim_policy="submit_late",
    )


@dataclass
class Sending:
    """Intents of the operator, carried out step by step."""

    context: Context
    chain: Chain

    def open(
        self, key: str, calldata: bytes, *, duty: str = "delegated_withdrawal", **more: Any
    ) -> int:
        """Store an intent that calls the contract; returns its row's id."""
        with self.context.sessions.begin() as session:
            intent = open_intent(
                session,
                NewIntent(
                    key=key,
                    duty=duty,
                    account=self.context.operator.address,
                    callee=self.context.gateway.contract,
                    calldata=calldata,
                    **more,
                ),
            )
            return int(intent.id)

    def broadcast(self, intent: int, **more: Any) -> Progress:
        """Run the activity once."""
        order = Broadcast(intent, **more)
        return ActivityEnvironment().run(Broadcaster(self.context).broadcast, order)

    async def watch(self, intent: int) -> Progress:
        """Run the activity once."""
        return await ActivityEnvironment().run(Watcher(self.context).watch, Watch(intent))

    def intent(self, intent: int) -> TransactionIntent:
        """The stored row."""
        with self.context.sessions() as session:
            return session.scalars(
                select(TransactionIntent).where(TransactionIntent.id == intent)
            ).one()

    def attempts(self, intent: int) -> list[TransactionAttempt]:
        """The stored attempts, oldest first."""
        with self.context.sessions() as session:
            rows = select(TransactionAttempt).where(TransactionAttempt.intent_id == intent)
            return list(session.scalars(rows.order_by(TransactionAttempt.number)))

    def with_context(self, **changes: Any) -> "Sending":
        """The same chain and database under another policy."""
        return Sending(replace(self.context, **changes), self.chain)


@pytest.fixture
def sending(context: Context, chain: Chain) -> Iterator[Sending]:
    """Intents on a node that forgets the test's pool and fees at its end."""
    yield Sending(context, chain)
    chain.rpc("anvil_dropAllTransactions")
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    chain.mine()


@pytest.fixture
def follow(context: Context) -> Callable[[], None]:
    """Bring the ledger's view to the node's head."""

    def until_caught_up() -> None:
        follower = Follower(context)
        while follower.look().behind:
            pass

    return until_caught_up

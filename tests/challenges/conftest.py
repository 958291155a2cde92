"""An operator of either edition on a chain of its own, with wallets that challenge it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.context import Context, Pace
from chain.fees import FeePolicy
from chain.gateway import ContractGateway
from chain.node import Node
from chain.signer import TransactionSigner
from contracts.artefacts import ARTEFACTS, PUBLISHED_ARTEFACTS
from contracts.deployment import create_commit_chain, create_token, deploy_libraries
from contracts.development import (
    COMMIT_CHAIN_NONCE,
    LIBRARIES_INDEX,
    OPERATOR_INDEX,
    TOKEN_SUPPLY,
    TOKEN_SYMBOL,
    development_account,
)
from contracts.sending import Sender
from duties.tokens import TokenTerms
from ledger.audit import verify_ledger
from ledger.rules import LedgerPolicy
from models.engine import open_engine, open_sessions
from protocol.editions import ContractEdition
from protocol.signing import Signer
from stack.part import running
from stack.ports import free_port
from tests.chain.conftest import Chain, account_key
from tests.challenges.challenging import Challengers
from tests.challenges.live import BLOCKS_PER_EON, CONFIRMATIONS, LiveBank, LiveWorld, open_world
from tests.contracts.conftest import ForgetfulNode
from tests.edition import chosen_edition
from tests.ledger.conftest import engine, ledger, rules
from tests.ledger.world import CONTRACT, LQD
from tests.orders.market import Market

__all__ = ["engine", "ledger", "rules"]

GWEI = 10**9


@pytest.fixture(scope="session")
def empty_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a node on which nobody has sent anything yet."""
    folder = tmp_path_factory.mktemp("challenges-node")
    node = ForgetfulNode(folder, free_port(), block_time_s=None)
    with running(node, folder / "node.log"):
        yield node.url


@pytest.fixture
def chain(empty_node: str) -> Iterator[Chain]:
    """A node that mines when the test says so, as it was before every other test."""
    chain = Chain(Node(empty_node))
    mark = chain.mark()
    yield chain
    chain.rpc("anvil_dropAllTransactions")
    assert chain.rpc("evm_revert", mark)


@pytest.fixture
def edition() -> ContractEdition:
    """Which contract the operator runs on; tests that are about one of them parametrise it."""
    return chosen_edition()


@pytest.fixture
def blocks_per_eon() -> int:
    return BLOCKS_PER_EON


@pytest.fixture
def confirmations() -> int:
    return CONFIRMATIONS


@pytest.fixture
def gateway(chain: Chain, edition: ContractEdition, blocks_per_eon: int) -> ContractGateway:
    """The contracts, at the addresses that the development chain has."""
    artefacts = ARTEFACTS if edition is ContractEdition.HARDENED else PUBLISHED_ARTEFACTS
    account = development_account(OPERATOR_INDEX)
    w3 = chain.node.w3
    with chain.mining_at_once():
        deployer = Sender(w3, development_account(LIBRARIES_INDEX).private_key)
        libraries, _ = deploy_libraries(deployer, artefacts=artefacts)
        sender = Sender(w3, account.private_key)
        while sender.next_nonce() < COMMIT_CHAIN_NONCE:
            sender.send(to=account.address)
        deployed = create_commit_chain(
            sender,
            blocks_per_eon=blocks_per_eon,
            operator=account.address,
            libraries=libraries,
            artefacts=artefacts,
        )
        token = create_token(sender, TOKEN_SYMBOL, TOKEN_SYMBOL, TOKEN_SUPPLY)
    assert (deployed.address, token) == (CONTRACT, LQD)
    return ContractGateway(chain.node, deployed.address)


@pytest.fixture
def context(
    database_url: str, gateway: ContractGateway, tmp_path: Path, confirmations: int
) -> Iterator[Context]:
    """An operator that has not started yet."""
    terms = tmp_path / "terms.json"
    terms.write_text(f'{{"tosHash": "{"0a" * 32}", "privacyHash": "{"0b" * 32}"}}')
    engine = open_engine(database_url, application_name="tests", pool_size=20)
    key = account_key(OPERATOR_INDEX)
    signer = Signer(key)
    yield Context(
        engine=engine,
        sessions=open_sessions(engine),
        gateway=gateway,
        operator=signer,
        policy=LedgerPolicy(
            confirmations=confirmations,
            checkpoint_threshold_blocks=2 * confirmations,
            swaps_enabled=True,
            sla_threshold=10_000,
            sla_price=10**18,
            sla_duration_days=30,
            sla_token=LQD,
            sla_recipient=signer.address,
            terms_grace_days=7,
            bulk_admission_limit=200,
            registrations_per_address_limit=1_000,
            registrations_per_eon_limit=100_000,
            overclaim_policy="submit_late",
        ),
        fees=FeePolicy(
            ceiling=300 * GWEI,
            critical_ceiling=1_000 * GWEI,
            min_tip=GWEI,
            bump_percent=15,
            bump_after_blocks=4,
        ),
        pace=Pace(poll_s=0.05, block_time_s=1.0, batch_blocks=64),
        terms_url=terms.as_uri(),
        sla_token=TokenTerms(LQD.hex(), TOKEN_SYMBOL, TOKEN_SYMBOL),
        accepts_published=True,
        signer=TransactionSigner(key),
    )
    engine.dispose()


@pytest.fixture
def world(context: Context, chain: Chain, empty_node: str) -> Iterator[LiveWorld]:
    """Eon 1 with ETH and LQD; audited at the end."""
    world = open_world(context, chain, empty_node)
    yield world
    with world.begin() as session:
        assert verify_ledger(session, world.rules) == []


@pytest.fixture
def bank(world: LiveWorld) -> LiveBank:
    return LiveBank(world)


@pytest.fixture
def challengers(bank: LiveBank) -> Challengers:
    return Challengers(bank)


@pytest.fixture
def market(bank: LiveBank) -> Market:
    """Orders may be placed: the checkpoint of eon 1 is on chain."""
    market = Market(bank)
    market.open()
    return market

"""The ledger's world on a real chain: money is deposited, roots are submitted, blocks are mined.

The contracts stand where the development chain has them, so everything that is written for the
ledger alone, markets among it, plays here too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from activities.adoption import Adoptions
from activities.answering import Answering
from activities.broadcasting import Broadcaster
from activities.context import Context
from activities.following import Follower
from chain.calls import register_token, request_withdrawal, submit_checkpoint
from chain.signer import TransactionSigner
from duties.challenges import Trial, TryAnswers
from duties.transactions import Broadcast
from ledger.checkpoint import CheckpointSummary
from ledger.proofs import allotment_proof
from ledger.tokens import activate_token, add_native_token, add_token
from models import Challenge, RootCommitment
from protocol.address import Address
from protocol.keccak import keccak256
from tests.chain.conftest import Chain, account_key
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, LQD, World, key
from wallet.parent_chain import ParentChain

BLOCKS_PER_EON = 60
CONFIRMATIONS = 1
ENOUGH_WEI = 10**21


def private_key(name: str) -> bytes:
    """The key of a person of the tests, as `tests.ledger.world.key` makes it."""
    return keccak256(b"ledger tests: " + name.encode())


@dataclass
class LiveWorld(World):
    """A world whose blocks, money and roots are a contract's."""

    context: Context = field(kw_only=True)
    chain: Chain = field(kw_only=True)
    node_url: str = field(kw_only=True)

    @property
    def operator(self) -> TransactionSigner:
        return TransactionSigner(account_key(0))

    @property
    def parent_chain(self) -> ParentChain:
        """The wallets' own way to the node."""
        return ParentChain(self.node_url, self.rules.contract)

    def bootstrap(self) -> None:
        """Eon 1, the terms, ETH and LQD registered, the operator's wallets in both."""
        self.follow()
        contract = self.rules.contract
        self.chain.execute(self.operator, register_token(contract, LQD))
        self.settle()
        with self.begin() as session:
            add_native_token(session, self.rules)
            add_token(session, self.rules, LQD, name="LQD", short_name="LQD")
            activate_token(session, self.rules, LQD, 1)

    def follow(self) -> None:
        """Bring the ledger to the node's head."""
        follower = Follower(self.context)
        while follower.look().behind:
            pass

    def mine(self, blocks: int = 1) -> None:
        self.chain.mine(blocks)
        self.follow()

    def settle(self) -> None:
        """Let what was mined last become confirmed."""
        self.mine(self.rules.confirmations)

    def move_to(self, block: int, *, confirmed: int | None = None) -> None:
        self.chain.mine_to(block)
        self.follow()

    def move_to_eon(self, eon: int, sub_block: int = 3) -> None:
        self.move_to(self.rules.clock.first_block(eon) + sub_block)

    def move_to_challenges(self) -> None:
        """Go on to where challenges open."""
        clock = self.rules.clock
        first = clock.first_block(self.eon) + clock.epoch_blocks + 1
        if self.chain.node.head().number < first:
            self.move_to(first)

    def fund(self, name: str) -> None:
        """Give a person ether on the parent chain."""
        self.chain.rpc("anvil_setBalance", "0x" + key(name).address.hex(), hex(ENOUGH_WEI))

    def deposit(
        self, name: str, amount: int, token: Address = ETH, *, block: int | None = None
    ) -> None:
        """Deposit on chain, and let it be confirmed."""
        self.fund(name)
        with self.chain.mining_at_once():
            if token != ETH:
                self.parent_chain.send_token(account_key(0), token, key(name).address, amount)
            self.parent_chain.deposit(private_key(name), token, amount)
        self.settle()

    def request_withdrawal(
        self, name: str, amount: int, token: Address = ETH, *, block: int | None = None
    ) -> None:
        """Ask the contract with the proof of the eon before, and let it be confirmed."""
        with self.begin() as session:
            wallet = Bank(self).wallet(name, token)
            proof = allotment_proof(session, wallet.id, self.eon - 1)
        assert proof is not None
        call = request_withdrawal(
            self.rules.contract,
            token=token,
            proof=balance_proof(proof),
            amount=amount,
            fee=100_100 * 200 * 10**9,
        )
        self.chain.execute(TransactionSigner(private_key(name)), call)
        self.settle()

    def submit(self, eon: int) -> None:
        """Have the stored root of `eon` on chain."""
        facts = self.context.gateway.submission_facts()
        with self.begin() as session:
            root = session.scalars(
                select(RootCommitment.merkle_root).where(RootCommitment.eon == eon)
            ).one()
        call = submit_checkpoint(self.rules.contract, accumulator=facts.basis, root=bytes(root))
        assert facts.eon == eon
        receipt = self.chain.execute(self.operator, call)
        assert receipt.succeeded
        self.follow()

    def challenges(self) -> list[Challenge]:
        """All challenges that the ledger knows, in the order in which it met them."""
        with self.begin() as session:
            rows = list(session.scalars(select(Challenge).order_by(Challenge.id)))
            session.expunge_all()
        return rows

    def live(self) -> int:
        """How many challenges of this eon the contract counts."""
        return self.context.gateway.live_challenges(self.eon)

    def try_answers(self, number: int, revision: int = 1, **more: Any) -> Trial:
        """Run the activity once."""
        return Answering(self.context).try_answers(TryAnswers(number, revision, **more))

    def answer(self, number: int, revision: int = 1) -> Trial:
        """Try, send, and mine a block; the answer must have been found and taken."""
        trial = self.try_answers(number, revision)
        assert trial.key, trial
        Broadcaster(self.context).broadcast(Broadcast(trial.intent_id))
        self.mine()
        return trial

    def answer_all(self) -> list[Trial]:
        """Answer every open challenge and let the answers be confirmed."""
        trials = [
            self.answer(row.id) for row in self.challenges() if row.status in ("open", "answering")
        ]
        self.settle()
        return trials


def balance_proof(proof: Any) -> Any:
    """A stored proof as calls take it."""
    from activities.answer_calls import _proof
    from ledger.challenges.evidence import CommittedLeaf

    return _proof(CommittedLeaf(b"", b"", b"", proof))


@dataclass
class LiveBank(Bank):
    """Payments of a world whose roots are submitted."""

    world: LiveWorld

    def checkpoint(self, eon: int) -> CheckpointSummary:
        summary = super().checkpoint(eon)
        self.world.submit(eon)
        return summary


def open_world(context: Context, chain: Chain, node_url: str) -> LiveWorld:
    """The world of a context whose contract was deployed by the test."""
    adoptions = Adoptions(context)
    adoptions.adopt_contract()
    adoptions.fetch_terms()
    with context.sessions.begin() as session:
        rules = context.rules(session)
    world = LiveWorld(
        context.engine, context.sessions, rules, context=context, chain=chain, node_url=node_url
    )
    world.bootstrap()
    return world

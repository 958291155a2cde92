"""A small commit-chain in a real database: keys by name, blocks by hand, money from the chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from sqlalchemy import Engine, func, insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, sessionmaker

from ledger.admission import AdmissionRequest, admit
from ledger.chain_events import apply_confirmed_events
from ledger.clock import find_view, read_view
from ledger.parameters import Parameters, store_parameters
from ledger.rules import LedgerRules
from ledger.terms import record_terms, require_latest_terms
from ledger.tokens import activate_token, add_native_token, add_token
from models import ChainEvent, ChainView, Wallet
from protocol.address import Address, checksum_address
from protocol.clock import EonClock
from protocol.keccak import keccak256
from protocol.signing import Signer
from protocol.states import admission_digest
from protocol.terms import terms_digest
from tests.edition import chosen_edition

GENESIS = 100
FIRST_BLOCK_SEEN = GENESIS + 10
BLOCKS_PER_EON = 180
CONFIRMATIONS = 3
CONTRACT: Address = bytes.fromhex("9561c133dd8580860b6b7e504bc5aa500f0f06a7")
LQD: Address = bytes.fromhex("e982e462b094850f12af94d21d470e21be9d0e9c")
ETH = CONTRACT
TERMS = keccak256(b"terms of service")
PRIVACY = keccak256(b"privacy policy")
ETHER = 10**18


def key(name: str) -> Signer:
    """The key of a person of the tests."""
    return Signer(keccak256(b"ledger tests: " + name.encode()))


def text_of(address: Address) -> str:
    """The 40 digits in which the reference client registers an address."""
    return checksum_address(address).removeprefix("0x")


def make_rules(**overrides: Any) -> LedgerRules:
    """The rules of the scenarios: genesis 100, 180 blocks an eon, 3 confirmations."""
    operator = key("operator")
    rules = LedgerRules(
        contract=CONTRACT,
        operator=operator,
        clock=EonClock(GENESIS, BLOCKS_PER_EON),
        edition=chosen_edition(),
        confirmations=CONFIRMATIONS,
        checkpoint_threshold_blocks=2 * CONFIRMATIONS,
        swaps_enabled=True,
        sla_threshold=100,
        sla_price=ETHER,
        sla_duration_days=30,
        sla_token=LQD,
        sla_recipient=operator.address,
        terms_grace_days=7,
        bulk_admission_limit=20,
        registrations_per_address_limit=1_000,
        registrations_per_eon_limit=100_000,
        overclaim_policy="submit_late",
    )
    return replace(rules, **overrides)


def is_founded_as_usual(rules: LedgerRules) -> bool:
    """Whether `World.bootstrap` stores the same for `rules` as for those of `make_rules()`."""
    usual = make_rules()
    return rules.operator.address == usual.operator.address and all(
        getattr(rules, name) == getattr(usual, name)
        for name in ("contract", "clock", "edition", "confirmations")
    )


@dataclass
class World:
    """The ledger under test. `engine` and `sessions` reach its database, `rules` are its rules."""

    engine: Engine
    sessions: sessionmaker[Session]
    rules: LedgerRules
    log_indices: Iterator[int] = field(default_factory=count)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One unit of work."""
        with self.sessions.begin() as session:
            yield session

    def bootstrap(self) -> None:
        """Parameters, terms, eon 1, and the tokens ETH (trail 0) and LQD (trail 1)."""
        rules = self.rules
        self.move_to(FIRST_BLOCK_SEEN)
        with self.begin() as session:
            store_parameters(
                session,
                Parameters(
                    chain_id=1337,
                    contract=rules.contract,
                    operator=rules.operator.address,
                    edition=rules.edition,
                    code_hash=keccak256(b"code"),
                    genesis_block=rules.clock.genesis_block,
                    blocks_per_eon=rules.clock.blocks_per_eon,
                    eons_kept=5,
                    deposits_kept=3,
                    challenge_cost=5 * 10**9,
                ),
            )
            record_terms(session, terms=TERMS, privacy=PRIVACY)
            add_native_token(session, rules)
            add_token(session, rules, LQD, name="LQD", short_name="LQD")
            activate_token(session, rules, LQD, 1)

    def is_founded(self) -> bool:
        """Whether this database holds a ledger already: it is a copy of the template."""
        with self.begin() as session:
            return find_view(session) is not None

    def move_to(self, block: int, *, confirmed: int | None = None) -> None:
        """Let the ledger see `block` as the newest; the eon's checkpoint counts as submitted."""
        eon = self.rules.clock.eon_of(block)
        values = {
            "latest_block": block,
            "confirmed_block": max(block - CONFIRMATIONS, 0) if confirmed is None else confirmed,
            "current_eon": eon,
            "last_submitted_eon": eon,
            "seen_at": func.now(),
        }
        with self.begin() as session:
            row = upsert(ChainView).values(id=1, **values)
            session.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))

    def move_to_eon(self, eon: int, sub_block: int = 30) -> None:
        """Move to a block of `eon`, after its checkpoint would be created by default."""
        self.move_to(self.rules.clock.first_block(eon) + sub_block)

    @property
    def eon(self) -> int:
        """The current eon."""
        with self.begin() as session:
            eon: int = read_view(session).current_eon
            return eon

    def admission(
        self,
        name: str,
        token: Address = ETH,
        *,
        eon: int | None = None,
        terms: bool = True,
        signer: Signer | None = None,
    ) -> AdmissionRequest:
        """A registration of `name`, by default correct for the current eon."""
        owner = key(name)
        state = admission_digest(
            contract=self.rules.contract,
            token=token,
            wallet=owner.address,
            trail=0,
            eon=self.eon if eon is None else eon,
        )
        with self.begin() as session:
            latest = require_latest_terms(session)
        agreed = terms_digest(latest.terms_digest, latest.privacy_digest)
        return AdmissionRequest(
            token=token,
            address=owner.address,
            address_text=text_of(owner.address),
            authorization=(signer or owner).sign(state),
            terms_signature=owner.sign(agreed if terms else keccak256(b"something else")),
        )

    def admit(self, name: str, token: Address = ETH, *, eon: int | None = None) -> Wallet:
        """Admit `name` to a token in the current eon."""
        request = self.admission(name, token, eon=eon)
        with self.begin() as session:
            return admit(session, self.rules, request)

    def event(self, kind: str, *, block: int, **arguments: int | bytes) -> int:
        """Let an event stand in the chain at `block` and return its row's id."""
        index = next(self.log_indices)
        values = {
            "block": block,
            "block_hash": keccak256(b"block %d" % block),
            "log_index": index,
            "transaction_hash": keccak256(b"transaction %d" % index),
            "eon": self.rules.clock.eon_of(block),
            "name": kind,
            "arguments": {
                name: value.hex() if isinstance(value, bytes) else str(value)
                for name, value in arguments.items()
            },
        }
        with self.begin() as session:
            row = session.execute(insert(ChainEvent).values(**values).returning(ChainEvent.id))
            event_id: int = row.scalar_one()
            return event_id

    def confirm(self, block: int) -> int:
        """Apply what stands in the chain up to `block` and return the number of events."""
        with self.begin() as session:
            return apply_confirmed_events(session, self.rules, block).applied

    def deposit(
        self, name: str, amount: int, token: Address = ETH, *, block: int | None = None
    ) -> None:
        """Deposit for `name` in a block of the current eon, confirmed at once."""
        block = self.rules.clock.first_block(self.eon) if block is None else block
        self.event("Deposit", block=block, token=token, recipient=key(name).address, amount=amount)
        self.confirm(block)

    def request_withdrawal(
        self, name: str, amount: int, token: Address = ETH, *, block: int | None = None
    ) -> None:
        """Ask to withdraw in a block of the current eon, confirmed at once."""
        block = self.rules.clock.first_block(self.eon) if block is None else block
        self.event(
            "WithdrawalRequest",
            block=block,
            token=token,
            requestor=key(name).address,
            amount=amount,
        )
        self.confirm(block)

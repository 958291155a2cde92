"""What activities work with; composed once by the worker from its settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from chain.fees import FeePolicy
from chain.gateway import ContractGateway
from chain.node import OLD_HEAD_S
from chain.signer import SignsTransactions
from duties.calendar import Calendar
from duties.tokens import TokenTerms
from ledger.parameters import find_parameters, load_rules
from ledger.rules import LedgerPolicy, LedgerRules
from protocol.clock import EonClock
from protocol.signing import MessageSigner

OLD_HEAD_BLOCKS: Final = 10


class NotBootstrapped(Exception):
    """The contract's parameters are not stored yet; trying again later is enough."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, in seconds, and how many blocks to fetch at once."""

    poll_s: float
    block_time_s: float
    batch_blocks: int

    @property
    def oldest_head_s(self) -> float:
        """How old the newest block may be before its node is taken to stand still."""
        return max(OLD_HEAD_S, OLD_HEAD_BLOCKS * self.block_time_s)


@dataclass(frozen=True)
class Context:
    """The database, the contract, and the operator's policy.

    `signer` is set only in the role that sends; `operator` signs admissions there and elsewhere
    only lends its address. `in_flight_limit` counts unmined ordinary transactions, `daily_budget`
    is what they may cost in a UTC day, in wei; 0: any amount. Below `fuel_threshold`, in wei,
    people are warned of the account's balance. Of each token `proof_sample` proofs are shown to
    the contract before a root is announced. Records for people are kept for `retention`.
    """

    engine: Engine
    sessions: sessionmaker[Session]
    gateway: ContractGateway
    operator: MessageSigner
    policy: LedgerPolicy
    fees: FeePolicy
    pace: Pace
    terms_url: str
    sla_token: TokenTerms
    in_flight_limit: int = 16
    daily_budget: int = 0
    fuel_threshold: int = 10**18
    retention: timedelta = timedelta(days=30)
    proof_sample: int = 20
    accepts_published: bool = False
    signer: SignsTransactions | None = None
    sla_recipient: MessageSigner | None = None

    def find_rules(self, session: Session) -> LedgerRules | None:
        """The ledger's rules; None before the contract was adopted."""
        return load_rules(session, operator=self.operator, policy=self.policy)

    def rules(self, session: Session) -> LedgerRules:
        """The ledger's rules; raises `NotBootstrapped` before the contract was adopted."""
        rules = self.find_rules(session)
        if rules is None:
            raise NotBootstrapped("the contract's parameters are not stored yet")
        return rules

    def calendar(self, session: Session) -> Calendar:
        """The calendar that duties are started with."""
        stored = find_parameters(session)
        if stored is None:
            raise NotBootstrapped("the contract's parameters are not stored yet")
        return self.calendar_of(EonClock(stored.genesis_block, stored.blocks_per_eon))

    def calendar_of(self, clock: EonClock) -> Calendar:
        """The calendar that duties are started with, for a clock."""
        return Calendar(
            genesis_block=clock.genesis_block,
            blocks_per_eon=clock.blocks_per_eon,
            confirmations=self.policy.confirmations,
            checkpoint_threshold_blocks=self.policy.checkpoint_threshold_blocks,
            overclaim_policy=self.policy.overclaim_policy,
            poll_s=self.pace.poll_s,
            block_time_s=self.pace.block_time_s,
        )

"""The first start: which contract this is, which terms apply, how tokens enter the ledger."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Final

from temporalio import activity

from activities.context import Context
from chain.calls import register_token
from chain.parameters import ContractParameters
from duties import alarms, names, tasks
from duties.eons import Opening, Readiness
from duties.tokens import Adoption, OpenRegistration, PairTerms, Registered, TokenTerms
from ledger.alarms import clear_alarm, raise_alarm
from ledger.parameters import Parameters, store_parameters
from ledger.refusals import Refusal
from ledger.terms import record_terms
from ledger.tokens import activate_token, add_native_token, add_pair, add_token, find_token
from ledger.transactions.intents import NewIntent, open_intent
from protocol.public_accounts import is_usable

FETCH_TIMEOUT_S: Final = 10
LARGEST_DOCUMENT_BYTES: Final = 65_536
SUBMISSION_MARGIN_BLOCKS: Final = 5
NATIVE_TRAIL: Final = 0
HAZARDS: Final = (
    "it pays requests again and again that are paid already",
    "anybody can request withdrawals without owning anything",
    "slashes emit no event",
    "its answers count the sender's deposits and withdrawals, not the issuer's",
    "states without entries cannot be proven",
    "old running totals come back after five eons",
)


class UnsuitedContract(Exception):
    """The contract cannot be operated as this process is configured."""


class TermsUnreadable(Exception):
    """The terms' document could not be fetched, or is not the JSON that it should be."""


class TokenUnregistered(Exception):
    """The contract does not list the token yet."""


class Adoptions:
    """Carries out what bootstrap and token registration need."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.ADOPT_CONTRACT.name)
    def adopt_contract(self) -> Adoption:
        """Read what deployment fixed; store it once, afterwards compare it at every start.

        Raises `UnsuitedContract` for an eon too short for our confirmations, another operator, or
        an edition that was not accepted; `ForeignDatabase` when the database is another's.
        """
        found = self._context.gateway.parameters()
        self._require_suited(found)
        with self._context.sessions.begin() as session:
            store_parameters(
                session,
                Parameters(
                    chain_id=found.chain_id,
                    contract=self._context.gateway.contract,
                    operator=found.operator,
                    edition=found.edition,
                    code_hash=found.code_hash,
                    genesis_block=found.genesis_block,
                    blocks_per_eon=found.blocks_per_eon,
                    eons_kept=found.eons_kept,
                    deposits_kept=found.deposits_kept,
                    challenge_cost=found.challenge_cost,
                ),
            )
        return Adoption(
            calendar=self._context.calendar_of(self._context.gateway.clock()),
            edition=found.edition.value,
            contract=self._context.gateway.contract.hex(),
            sla_token=self._context.sla_token,
        )

    def _require_suited(self, found: ContractParameters) -> None:
        if found.edition.needs_acceptance and not self._context.accepts_published:
            raise UnsuitedContract(
                "the published edition of the contract: "
                + "; ".join(HAZARDS)
                + ". Accept this with HUB_ACCEPT_PUBLISHED_CONTRACT=true"
            )
        if found.operator != self._context.operator.address:
            raise UnsuitedContract(f"its operator is 0x{found.operator.hex()}, not our account")
        if not is_usable(found.operator, found.chain_id):
            raise UnsuitedContract(
                f"everybody knows the key of 0x{found.operator.hex()}, and chain {found.chain_id} "
                "is none for development: deploy a contract with an account of your own"
            )
        needed = 2 * self._context.policy.confirmations + SUBMISSION_MARGIN_BLOCKS
        epoch = found.blocks_per_eon // 4
        if needed >= epoch:
            raise UnsuitedContract(
                f"a checkpoint needs {needed} blocks with {self._context.policy.confirmations} "
                f"confirmations, which is not below the epoch of {epoch} blocks"
            )

    @activity.defn(name=tasks.FETCH_TERMS.name)
    def fetch_terms(self) -> bool:
        """Fetch and store the terms in force; whether they are new. Raises `TermsUnreadable`."""
        try:
            terms, privacy = _read_terms(self._context.terms_url)
        except TermsUnreadable as error:
            self._terms_are_late(error)
            raise
        with self._context.sessions.begin() as session:
            clear_alarm(session, alarms.TERMS_UNREACHABLE, "terms")
            return record_terms(session, terms=terms, privacy=privacy)

    def _terms_are_late(self, error: TermsUnreadable) -> None:
        with self._context.sessions.begin() as session:
            raise_alarm(session, alarms.WARNING, alarms.TERMS_UNREACHABLE, "terms", str(error))

    @activity.defn(name=tasks.ADD_NATIVE_TOKEN.name)
    def add_native_token(self) -> Registered:
        """Bring the native asset and the operator's wallet into the ledger; nothing on chain."""
        with self._context.sessions.begin() as session:
            token = add_native_token(session, self._context.rules(session))
        return Registered(token.text, NATIVE_TRAIL)

    @activity.defn(name=tasks.OPEN_REGISTRATION.name)
    def open_registration(self, order: OpenRegistration) -> Opening:
        """Store the token as pending and open the intent that registers it.

        `done` when the contract lists it already, `blocked` for what must never be registered.
        """
        address, gateway = bytes.fromhex(order.token.address), self._context.gateway
        if not gateway.node.code(address):
            return Opening(Readiness.BLOCKED, reason="there is no code at the token's address")
        try:
            self._add_token(order.token)
        except Refusal as refusal:
            return Opening(Readiness.BLOCKED, reason=str(refusal))
        if gateway.token_trail(address) != 0:
            return Opening(Readiness.DONE)
        call = register_token(gateway.contract, address)
        with self._context.sessions.begin() as session:
            intent = open_intent(
                session,
                NewIntent(
                    key=names.registration_key(order.token.address, order.revision),
                    duty="token_registration",
                    account=self._context.operator.address,
                    callee=call.to,
                    calldata=call.data,
                ),
            )
        return Opening(Readiness.READY, intent.key, intent.id)

    def _add_token(self, token: TokenTerms) -> None:
        address = bytes.fromhex(token.address)
        with self._context.sessions.begin() as session:
            rules = self._context.rules(session)
            if find_token(session, address) is None or address == rules.contract:
                add_token(session, rules, address, name=token.name, short_name=token.short_name)

    @activity.defn(name=tasks.ACTIVATE_TOKEN.name)
    def activate_token(self, token: TokenTerms) -> Registered:
        """Make a token usable under the trail that the contract gave it, with its owners' wallets.

        Raises `TokenUnregistered` while the contract does not list it under that trail.
        """
        address, gateway = bytes.fromhex(token.address), self._context.gateway
        trail = gateway.token_trail(address)
        if trail == 0 or gateway.token_at_trail(trail) != address:
            raise TokenUnregistered(f"0x{token.address} has no trail yet")
        with self._context.sessions.begin() as session:
            activate_token(
                session,
                self._context.rules(session),
                address,
                trail,
                sla_recipient=self._context.sla_recipient,
            )
        return Registered(token.address, trail)

    @activity.defn(name=tasks.ADD_PAIR.name)
    def add_pair(self, pair: PairTerms) -> int:
        """Open both directions of trade between two tokens; returns how many were new."""
        first, second = bytes.fromhex(pair.first), bytes.fromhex(pair.second)
        with self._context.sessions.begin() as session:
            return add_pair(session, first, second) + add_pair(session, second, first)


def _read_terms(url: str) -> tuple[bytes, bytes]:
    try:
        # The setting admits http, https and file addresses only.
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:
            document: Any = json.loads(answer.read(LARGEST_DOCUMENT_BYTES))
        return _digest(document["tosHash"]), _digest(document["privacyHash"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TermsUnreadable(f"{type(error).__name__} while reading the terms") from None


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text.removeprefix("0x"))
    if len(digest) != 32:
        raise ValueError("a digest has 64 hexadecimal digits")
    return digest

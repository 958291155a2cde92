"""One batch of transfers: one transaction, one commit, a verdict for each request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import psycopg2
import psycopg2.errors

from crash_points import committed
from ledger.accounts import LOCK, Account, create_accounts, gather
from ledger.arrays import integers
from ledger.clock import INTAKE_CLOSED, require_intake
from ledger.eon_lock import SHARE, share_eon
from ledger.identities import IdentityCache, Lookup
from ledger.prepared import Preparations
from ledger.refusals import Refusal
from ledger.rules import LedgerRules
from ledger.switches import Entry, require_running
from ledger.transfers import moment as moments
from ledger.transfers import writing
from ledger.transfers.judge import Fresh, Judge
from ledger.transfers.moment import (
    Moment,
    count_present,
    holders_of_agreements,
    read_moment,
    signed_terms,
    used_nonces,
)
from ledger.transfers.requests import (
    TransferAccepted,
    TransferRefused,
    TransferRequest,
    Verdict,
)
from ledger.transfers.writing import write_and_commit
from protocol.address import Address
from protocol.markers import minimum_available_balance_digest
from protocol.signing import is_signed_by

ATTEMPTS: Final = 8
_SIGNERS_KEPT: Final = 100_000
_CURRENT_EON: Final = "SELECT current_eon FROM chain_view"
# Together in one round trip: the accounts are read after the eon is shared.
_BEGIN: Final = f"BEGIN; {SHARE.replace('%s', '%(eon)s')}; {LOCK.call}"
_PREPARATIONS: Final = Preparations((LOCK, *moments.STATEMENTS, *writing.STATEMENTS))
_RETRIED: Final = (
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.UniqueViolation,
)


@dataclass(slots=True)
class BatchMemory:
    """What one process remembers between batches: facts that cannot become untrue, and the eon.

    `eon` and `committed_eon` are guesses that every batch checks; `signers` are addresses that
    signed `terms_id`.
    """

    identities: IdentityCache = field(default_factory=IdentityCache)
    eon: int | None = None
    committed_eon: int = 0
    terms_id: int | None = None
    signers: set[Address] = field(default_factory=set)


class Batch:
    """Requests that share a transaction.

    `run` may be called again, on another connection, after it was interrupted by any error of the
    database: if the commit of the earlier run took place after all, its verdicts are returned.
    """

    def __init__(
        self, rules: LedgerRules, requests: Sequence[TransferRequest], memory: BatchMemory
    ) -> None:
        self._rules = rules
        self._requests = requests
        self._memory = memory
        self._signed = [_marker_is_signed(rules, request) for request in requests]
        self._unresolved: list[Verdict] = []

    def run(self, connection: Any) -> list[Verdict]:
        """Judge, write, commit; return the verdicts in order. The connection is in autocommit.

        Raises the database's error after the last attempt.
        """
        for attempt in range(ATTEMPTS):
            with connection.cursor() as cursor:
                try:
                    _PREPARATIONS.ensure(connection, cursor)
                    verdicts = self._attempt(cursor)
                except _RETRIED:
                    cursor.execute("ROLLBACK")
                    if attempt == ATTEMPTS - 1:
                        raise
                    continue
                except Exception:
                    if not connection.closed:
                        cursor.execute("ROLLBACK")
                    raise
            if verdicts is not None:
                return verdicts
        raise psycopg2.errors.LockNotAvailable("the eon kept changing under the batch")

    def _attempt(self, cursor: Any) -> list[Verdict] | None:
        """Try once; None asks for another attempt, with the memory set right and nothing held."""
        lookup = self._memory.identities.look_up(cursor, self._names())
        eon = self._eon(cursor)
        wallets = self._wallets(lookup, eon)
        accounts = self._lock(cursor, wallets, eon)
        if len(accounts) < len(wallets):
            self._create(cursor, wallets, eon)
            return None
        if self._unresolved:
            if self._is_committed(cursor):
                cursor.execute("ROLLBACK")
                return self._unresolved
            self._unresolved = []
        moment = read_moment(cursor, len(self._requests))
        self._memory.eon = moment.view.current_eon if moment else None
        if moment is not None and moment.view.current_eon != eon:
            cursor.execute("ROLLBACK")
            return None
        return self._decide(cursor, lookup, accounts, moment)

    def _eon(self, cursor: Any) -> int:
        """The eon whose accounts to lock: that of an interrupted commit, else the current one."""
        for verdict in self._unresolved:
            if isinstance(verdict, TransferAccepted):
                return verdict.eon
        if self._memory.eon is not None:
            return self._memory.eon
        cursor.execute(_CURRENT_EON)
        row = cursor.fetchone()
        return row[0] if row else 0

    def _names(self) -> Iterable[tuple[Address, Address]]:
        for request in self._requests:
            yield request.debit_token, request.debit_address
            yield request.credit_token, request.credit_address

    def _wallets(self, lookup: Lookup, eon: int) -> list[int]:
        """The wallets that an acceptance in `eon` may touch, in the order of locking."""
        found: set[int] = set()
        for request in self._requests:
            sender = lookup.admitted.get((request.debit_token, request.debit_address))
            recipient = lookup.admitted.get((request.credit_token, request.credit_address))
            if request.eon == eon and sender is not None and recipient is not None:
                found.update((sender.wallet_id, recipient.wallet_id))
        return sorted(found)

    def _lock(self, cursor: Any, wallets: list[int], eon: int) -> dict[int, Account]:
        # Rows of the eon before matter, and are held against late entries, until the checkpoint.
        eons = [eon] if self._memory.committed_eon == eon else [eon, eon - 1]
        arguments = {"eon": eon, "wallets": integers(wallets), "eons": integers(eons)}
        cursor.execute(_BEGIN, arguments)
        accounts = gather(cursor.fetchall(), eon)
        if any(account.allotment is not None for account in accounts.values()):
            self._memory.committed_eon = eon
        return accounts

    def _create(self, cursor: Any, wallets: list[int], eon: int) -> None:
        """Give wallets their first row of the eon, in a transaction that locks nothing else."""
        # Losing these rows in a crash loses nothing: they hold no entry yet.
        cursor.execute("ROLLBACK; BEGIN; SET LOCAL synchronous_commit = off")
        share_eon(cursor, eon)
        create_accounts(cursor, wallets, eon)
        cursor.execute("COMMIT")
        committed()

    def _is_committed(self, cursor: Any) -> bool:
        """Tell what became of an interrupted commit, now that the accounts it locked are ours."""
        accepted = [v for v in self._unresolved if isinstance(v, TransferAccepted)]
        return count_present(cursor, [str(a.tx_id) for a in accepted], accepted[0].eon) > 0

    def _decide(
        self, cursor: Any, lookup: Lookup, accounts: dict[int, Account], moment: Moment | None
    ) -> list[Verdict]:
        verdicts: list[Verdict] = []
        if moment is None:
            cursor.execute("ROLLBACK")
            refusal = Refusal(INTAKE_CLOSED, "the chain has not been seen yet")
            return [TransferRefused(refusal) for _ in self._requests]
        judge = self._judge(cursor, lookup, accounts, moment)
        for request, fresh in zip(self._requests, self._fresh(moment), strict=True):
            try:
                verdicts.append(judge.judge(request, fresh))
            except TransferRefused as refusal:
                verdicts.append(refusal)
        if not judge.appended:
            cursor.execute("ROLLBACK")
            return verdicts
        changed = {
            wallet.wallet_id
            for entry in judge.appended
            for wallet in (entry.transfer.sender, entry.transfer.recipient)
        }
        self._unresolved = verdicts
        write_and_commit(cursor, judge.appended, [accounts[wallet] for wallet in sorted(changed)])
        return verdicts

    def _fresh(self, moment: Moment) -> Iterable[Fresh]:
        for transfer, state, marker, signed in zip(
            moment.transfer_ids, moment.state_ids, moment.marker_ids, self._signed, strict=True
        ):
            yield Fresh(transfer, state, marker, uuid4(), signed)

    def _judge(
        self, cursor: Any, lookup: Lookup, accounts: dict[int, Account], moment: Moment
    ) -> Judge:
        senders, recipients = [], []
        over_quota: set[Address] = set()
        for request in self._requests:
            sender = lookup.admitted.get((request.debit_token, request.debit_address))
            recipient = lookup.admitted.get((request.credit_token, request.credit_address))
            if sender is not None:
                senders.append((sender.wallet_id, request.eon, request.nonce))
                account = accounts.get(sender.wallet_id)
                near = self._rules.sla_threshold - len(self._requests)
                if account is not None and account.entry_count >= near:
                    over_quota.add(sender.address)
            if recipient is not None:
                recipients.append((recipient.wallet_id, request.eon, request.nonce))
        used_by_senders, used_by_recipients = used_nonces(cursor, senders, recipients)
        return Judge(
            rules=self._rules,
            lookup=lookup,
            accounts=accounts,
            current_eon=moment.view.current_eon,
            intake_refusal=_intake_refusal(self._rules, moment),
            eon_is_closed=moment.closed,
            time=moment.time,
            barred_by_terms=self._barred(cursor, moment),
            agreement_holders=holders_of_agreements(cursor, over_quota),
            sender_nonces=used_by_senders,
            recipient_nonces=used_by_recipients,
        )

    def _barred(self, cursor: Any, moment: Moment) -> set[Address]:
        """The senders that may not transact until they sign the terms of service."""
        if moment.terms_id is None or moment.terms_time is None:
            return set()
        memory = self._memory
        if memory.terms_id != moment.terms_id or len(memory.signers) > _SIGNERS_KEPT:
            memory.terms_id, memory.signers = moment.terms_id, set()
        senders = {request.debit_address for request in self._requests}
        unknown = senders - memory.signers - {self._rules.operator.address}
        if not unknown:
            return set()
        latest, earlier = signed_terms(cursor, moment.terms_id, unknown)
        memory.signers = memory.signers | latest
        grace = timedelta(days=self._rules.terms_grace_days)
        return unknown - latest - (earlier if moment.time - moment.terms_time < grace else set())


def append_transfers(
    connection: Any,
    rules: LedgerRules,
    requests: Sequence[TransferRequest],
    memory: BatchMemory | None = None,
) -> list[Verdict]:
    """Append transfers in one transaction and commit it; return a verdict each, in order.

    `connection` is one of psycopg2's, idle; it is left idle and in the mode in which it came. A
    transfer is countersigned when its verdict is a `TransferAccepted`, and then it is durable.
    """
    was_autocommit = connection.autocommit
    connection.autocommit = True
    try:
        return Batch(rules, requests, memory or BatchMemory()).run(connection)
    finally:
        if not connection.closed:
            connection.autocommit = was_autocommit


def _marker_is_signed(rules: LedgerRules, request: TransferRequest) -> bool:
    digest = minimum_available_balance_digest(
        contract=rules.contract,
        token=request.debit_token,
        wallet=request.debit_address,
        eon=request.eon,
        amount=request.marker_amount,
    )
    return is_signed_by(digest, request.marker_signature, request.debit_address)


def _intake_refusal(rules: LedgerRules, moment: Moment) -> Refusal | None:
    try:
        require_intake(moment.view, rules, now=moment.time)
        require_running(moment.paused, Entry.TRANSFERS)
    except Refusal as refusal:
        return refusal
    return None

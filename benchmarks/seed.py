"""A ledger filled for measuring: tokens, admitted wallets, confirmed deposits; no chain behind it.

Wallets and deposits are written as admission and the confirmed chain would have left them, but in
bulk: every signature is real, so that an audit of the ledger afterwards means something.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Engine, func, insert
from sqlalchemy.orm import Session

from benchmarks.payer import key_of
from ledger.parameters import Parameters, load_rules, store_parameters
from ledger.rules import LedgerPolicy, LedgerRules
from ledger.terms import record_terms
from ledger.tokens import add_native_token
from models import ChainView
from models.engine import open_sessions
from protocol.address import Address
from protocol.editions import ContractEdition
from protocol.keccak import keccak256
from protocol.signing import Signer
from protocol.states import admission_digest

EON: Final = 1
BLOCKS_PER_EON: Final = 4320
GENESIS: Final = 0
TERMS_TEXTS: Final = (keccak256(b"terms of service"), keccak256(b"privacy policy"))


class SeedFailed(RuntimeError):
    """The seeded ledger has no rules: its parameters were not stored."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The rules of the seeded ledger and the trail of the first seeded wallet."""

    rules: LedgerRules
    first_trail: int


def bootstrap(engine: Engine, *, operator: Signer, contract: Address, chain_id: int) -> LedgerRules:
    """Store the contract's parameters, the terms and the native token; eon 1 is current."""
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        _see_chain(session)
        store_parameters(
            session,
            Parameters(
                chain_id=chain_id,
                contract=contract,
                operator=operator.address,
                edition=ContractEdition.HARDENED,
                code_hash=keccak256(b"no code"),
                genesis_block=GENESIS,
                blocks_per_eon=BLOCKS_PER_EON,
                eons_kept=5,
                deposits_kept=3,
                challenge_cost=0,
            ),
        )
        rules = load_rules(session, operator=operator, policy=_policy(operator, contract))
        if rules is None:
            raise SeedFailed("the ledger has no parameters")
        record_terms(session, terms=TERMS_TEXTS[0], privacy=TERMS_TEXTS[1])
        add_native_token(session, rules)
    return rules


def _see_chain(session: Session) -> None:
    first = GENESIS + 10
    session.execute(
        insert(ChainView).values(
            id=1,
            latest_block=first,
            confirmed_block=first - 3,
            current_eon=EON,
            last_submitted_eon=EON,
            seen_at=func.now() + timedelta(days=1),
        )
    )


def _policy(operator: Signer, contract: Address) -> LedgerPolicy:
    return LedgerPolicy(
        confirmations=3,
        checkpoint_threshold_blocks=6,
        swaps_enabled=False,
        sla_threshold=10**9,
        sla_price=10**18,
        sla_duration_days=30,
        sla_token=contract,
        sla_recipient=operator.address,
        terms_grace_days=7,
        bulk_admission_limit=20,
        registrations_per_address_limit=10**9,
        registrations_per_eon_limit=10**9,
        overclaim_policy="hold",
    )


def add_wallets(
    engine: Engine,
    rules: LedgerRules,
    count: int,
    funds: int,
    *,
    token_trail: int = 0,
    first_key: int = 0,
) -> int:
    """Admit `count` wallets with a deposit each, if `funds` are given; return the first's trail."""
    connection: Any = engine.raw_connection()
    try:
        with connection.cursor() as cursor:
            token = _Token(*_reserve_trails(cursor, count, token_trail))
            _copy_wallets(cursor, rules, token, first_key, count)
            if funds:
                _credit(cursor, token, funds)
            cursor.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()
    return token.first


@dataclass(frozen=True, slots=True)
class _Token:
    """Where wallets are added: their token, and the trail of the first of them."""

    id: int
    address: Address
    first: int


def _reserve_trails(cursor: Any, count: int, token_trail: int) -> tuple[int, Address, int]:
    cursor.execute(
        "UPDATE token SET wallet_count = wallet_count + %s WHERE trail = %s "
        "RETURNING id, address, wallet_count",
        (count, token_trail),
    )
    token_id, address, total = cursor.fetchone()
    return token_id, bytes(address), total - count


def _copy_wallets(
    cursor: Any, rules: LedgerRules, token: _Token, first_key: int, count: int
) -> None:
    columns = (
        "token_id, address, text, registration_eon, wallet_authorization, "
        "operator_authorization, trail_identifier"
    )
    lines = (
        _wallet_line(rules, token, first_key + place, token.first + place) for place in range(count)
    )
    cursor.copy_expert(f"COPY wallet ({columns}) FROM STDIN", _stream(lines))
    cursor.execute(
        "INSERT INTO terms_of_service_signature (address, terms_id, signature) "
        "SELECT w.address, t.id, w.wallet_authorization FROM wallet w, terms_of_service t "
        "WHERE w.token_id = %s AND w.trail_identifier >= %s ON CONFLICT DO NOTHING",
        (token.id, token.first),
    )


def _wallet_line(rules: LedgerRules, token: _Token, index: int, trail: int) -> str:
    signer = key_of(index)
    address = signer.address.hex()
    texts = [
        owner.sign(
            admission_digest(
                contract=rules.contract,
                token=token.address,
                wallet=signer.address,
                trail=signed_trail,
                eon=EON,
            )
        ).hex()
        for owner, signed_trail in ((signer, 0), (rules.operator, trail))
    ]
    return (
        f"{token.id}\t\\\\x{address}\t{address}\t{EON}\t\\\\x{texts[0]}\t\\\\x{texts[1]}\t{trail}\n"
    )


def _credit(cursor: Any, token: _Token, funds: int) -> None:
    cursor.execute(
        "WITH event AS ("
        " INSERT INTO chain_event (block, block_hash, log_index, transaction_hash, eon, name,"
        "   arguments, applied)"
        " SELECT %(block)s, sha256('block'), w.id, sha256(w.address), %(eon)s, 'Deposit',"
        "   jsonb_build_object('token', t.text, 'recipient', w.text, 'amount', %(funds)s::text),"
        "   true"
        " FROM wallet w JOIN token t ON t.id = w.token_id WHERE w.token_id = %(token)s"
        "   AND w.trail_identifier >= %(first)s"
        " RETURNING id, log_index, transaction_hash"
        "), money AS ("
        " INSERT INTO deposit (event_id, wallet_id, amount, eon, block, transaction_hash)"
        " SELECT id, log_index, %(funds)s, %(eon)s, %(block)s, transaction_hash FROM event"
        " RETURNING wallet_id, amount"
        ") INSERT INTO wallet_eon (wallet_id, eon, deposited)"
        " SELECT wallet_id, %(eon)s, amount FROM money",
        {"block": GENESIS, "eon": EON, "funds": funds, "first": token.first, "token": token.id},
    )


def _stream(lines: Iterable[str]) -> io.StringIO:
    stream = io.StringIO()
    stream.writelines(lines)
    stream.seek(0)
    return stream

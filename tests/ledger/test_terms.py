"""Who may transact: the terms of service and their grace period."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ledger.refusals import Refusal
from ledger.terms import latest_terms, record_terms, require_terms, sign_terms
from models import TermsOfService
from protocol.keccak import keccak256
from protocol.terms import terms_digest
from tests.ledger.world import PRIVACY, TERMS, World, key

NEWER = keccak256(b"newer terms")


def new_terms(ledger: World) -> None:
    with ledger.begin() as session:
        assert record_terms(session, terms=NEWER, privacy=PRIVACY)


def may_transact(ledger: World, name: str, *, days: float = 0) -> bool:
    later = datetime.now(UTC) + timedelta(days=days)
    with ledger.begin() as session:
        try:
            require_terms(session, ledger.rules, key(name).address, now=later)
        except Refusal as refusal:
            assert refusal.code == "INVALID_TOS_SIGNATURE"
            return False
    return True


def sign(ledger: World, name: str, terms: bytes = NEWER) -> None:
    with ledger.begin() as session:
        sign_terms(session, key(name).address, key(name).sign(terms_digest(terms, PRIVACY)))


def test_older_terms_suffice_for_a_grace_period(ledger: World) -> None:
    ledger.admit("alice")
    assert may_transact(ledger, "alice", days=400)
    new_terms(ledger)
    assert may_transact(ledger, "alice", days=6.9)
    assert not may_transact(ledger, "alice", days=7.1)
    sign(ledger, "alice")
    assert may_transact(ledger, "alice", days=7.1)


def test_who_never_signed_may_not_transact_and_the_operator_always_may(ledger: World) -> None:
    assert not may_transact(ledger, "stranger")
    new_terms(ledger)
    assert may_transact(ledger, "operator", days=8)


def test_terms_that_are_known_do_not_come_back(ledger: World) -> None:
    new_terms(ledger)
    with ledger.begin() as session:
        assert not record_terms(session, terms=TERMS, privacy=PRIVACY)
        latest = latest_terms(session)
        assert latest is not None and latest.terms_digest == NEWER
        assert len(session.scalars(select(TermsOfService)).all()) == 2


def test_signing_terms_is_refused_in_the_order_of_the_wire(ledger: World) -> None:
    ledger.admit("alice")
    with pytest.raises(Refusal, match="LATEST_TOS_ALREADY_SIGNED"):
        sign(ledger, "alice", terms=TERMS)
    new_terms(ledger)
    with pytest.raises(Refusal, match="WALLET_NOT_ADMITTED"):
        sign(ledger, "stranger")
    with pytest.raises(Refusal, match="INVALID_TOS_SIGNATURE"):
        sign(ledger, "alice", terms=TERMS)

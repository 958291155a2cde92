"""New terms come into force by themselves; who agreed to older ones has some days left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from activities.adoption import Adoptions, TermsUnreadable
from activities.context import Context
from duties import alarms
from ledger.refusals import Refusal
from ledger.terms import latest_terms, require_terms, store_agreements
from models import TermsOfService
from protocol.signing import Signer
from protocol.terms import terms_digest
from tests.activities.checks.conftest import open_alarms

ALICE = Signer(bytes([7]) * 32)


def publish(context: Context, text: str) -> None:
    Path(urlsplit(context.terms_url).path).write_text(text)


def pair(digit: str) -> str:
    return f'{{"tosHash": "{digit * 64}", "privacyHash": "0x{digit * 64}", "more": 1}}'


def test_new_terms_replace_old_ones_after_a_grace_period(context: Context) -> None:
    adoptions = Adoptions(context)
    with context.sessions.begin() as session:
        old = latest_terms(session)
        assert old is not None
        signature = ALICE.sign(terms_digest(old.terms_digest, old.privacy_digest))
        store_agreements(session, old, [(ALICE.address, signature)])
    assert not adoptions.fetch_terms()
    publish(context, pair("c"))
    assert adoptions.fetch_terms()
    now = datetime.now(UTC)
    with context.sessions.begin() as session:
        rules = context.rules(session)
        require_terms(session, rules, ALICE.address, now=now + timedelta(days=6))
        with pytest.raises(Refusal, match="latest terms"):
            require_terms(session, rules, ALICE.address, now=now + timedelta(days=8))
        with pytest.raises(Refusal, match="never signed"):
            require_terms(session, rules, bytes(20), now=now)


def test_terms_that_return_are_not_the_latest_again(context: Context) -> None:
    adoptions = Adoptions(context)
    first = Path(urlsplit(context.terms_url).path).read_text()
    publish(context, pair("c"))
    assert adoptions.fetch_terms()
    publish(context, first)
    assert not adoptions.fetch_terms()
    with context.sessions.begin() as session:
        terms = latest_terms(session)
        assert terms is not None and terms.terms_digest == bytes([0xCC]) * 32
        assert len(session.scalars(select(TermsOfService)).all()) == 2


def test_unreadable_terms_are_an_alarm_until_they_can_be_read(context: Context) -> None:
    adoptions, place = Adoptions(context), (alarms.TERMS_UNREACHABLE, "terms")
    good = Path(urlsplit(context.terms_url).path).read_text()
    for bad in ("", "[]", '{"tosHash": "xyz", "privacyHash": "xyz"}'):
        publish(context, bad)
        with pytest.raises(TermsUnreadable):
            adoptions.fetch_terms()
        assert place in open_alarms(context)
    publish(context, good)
    adoptions.fetch_terms()
    assert place not in open_alarms(context)

"""Sending with a key in another process, and telling a person when that process is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from activities.adoption import Adoptions, UnsuitedContract
from activities.alarming_signer import AlarmingSigner
from activities.context import Context
from chain.calls import register_token
from chain.parameters import ContractParameters
from chain.remote_signer import COOL_DOWN_S, RemoteKey, RemoteTransactionSigner
from duties import alarms
from duties.transactions import Ending, Stage
from ledger.parameters import PublicKey
from models import Alarm
from protocol.signing import SignerUnavailable
from tests.activities.conftest import CONFIRMATIONS, Sending
from tests.chain.conftest import account_key
from tests.chain.signer_service import RunningSigner, running_signer


@pytest.fixture(scope="module")
def process() -> Iterator[RunningSigner]:
    with running_signer(account_key(0)) as signer:
        yield signer


async def test_a_transaction_is_signed_elsewhere_and_a_person_hears_when_it_is_not(
    sending: Sending, process: RunningSigner, token: bytes
) -> None:
    context = sending.context
    remote = RemoteKey(process.url, context.operator.address, timeout_s=0.5)
    signer = AlarmingSigner(RemoteTransactionSigner(remote), context.sessions)
    elsewhere = sending.with_context(signer=signer)
    call = register_token(context.gateway.contract, token)
    intent = elsewhere.open("register-r1", call.data, duty="token_registration")
    process.behave("failing")
    with pytest.raises(SignerUnavailable):
        elsewhere.broadcast(intent)
    assert elsewhere.intent(intent).nonce is None and elsewhere.attempts(intent) == []
    assert raised(context) == [alarms.SIGNER]
    process.behave("honest")
    await asyncio.sleep(COOL_DOWN_S)
    assert elsewhere.broadcast(intent).stage == Stage.SENT
    assert raised(context) == []
    sending.chain.mine(1 + CONFIRMATIONS)
    assert (await elsewhere.watch(intent)).ending == Ending.CONFIRMED


def raised(context: Context) -> list[str]:
    with context.sessions() as session:
        return list(session.scalars(select(Alarm.subject).where(Alarm.cleared_at.is_(None))))


def test_a_key_that_everybody_knows_is_refused_by_the_chain_that_the_node_is_on(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = context.gateway.parameters()
    real: ContractParameters = replace(found, chain_id=1)
    monkeypatch.setattr(context.gateway, "_parameters", real)
    with pytest.raises(UnsuitedContract, match="everybody knows the key of 0x90f8bf6a"):
        Adoptions(context).adopt_contract()
    with context.sessions.begin() as session:
        session.execute(text("UPDATE contract_parameters SET chain_id = 1"))
    with context.sessions() as session, pytest.raises(PublicKey):
        context.rules(session)

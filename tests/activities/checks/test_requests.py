"""Somebody slashes without an event, as on the published contract: it is noticed all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from temporalio.testing import ActivityEnvironment

from activities.adoption import Adoptions
from activities.context import Context
from activities.sanity.work import Sanity
from chain.calls import request_withdrawal, slash_withdrawal
from chain.signer import TransactionSigner
from contracts.artefacts import PUBLISHED_ARTEFACTS
from contracts.deployment import deploy_libraries
from contracts.sending import Sender
from duties import alarms, names
from models import WithdrawalRequest
from protocol.editions import ContractEdition
from protocol.markers import minimum_available_balance_digest
from protocol.signing import Signer
from stack.node import AnvilNode
from tests.activities.checks.conftest import open_alarms
from tests.activities.conftest import CONFIRMATIONS
from tests.chain.conftest import Chain, account_key
from tests.chain.test_funds import Hub, hub

__all__ = ["hub"]
pytestmark = pytest.mark.asyncio
Follow = Callable[[], None]


@pytest.fixture(scope="module")
def edition() -> ContractEdition:
    """The edition whose slashes emit no event."""
    return ContractEdition.PUBLISHED


@pytest.fixture(scope="module")
def libraries(anvil: AnvilNode) -> dict[str, bytes]:
    """Its libraries."""
    from chain.node import Node

    chain = Chain(Node(anvil.url))
    with chain.mining_at_once():
        found, _ = deploy_libraries(
            Sender(chain.node.w3, account_key(9)), artefacts=PUBLISHED_ARTEFACTS
        )
    return found


@pytest.fixture
def requested(context: Context, hub: Hub, follow: Follow, holder: TransactionSigner) -> Context:
    """A ledger that knows of a confirmed request of 40 wei of eon 3."""
    follow()
    Adoptions(context).add_native_token()
    hub.deposit(1000)
    hub.commit(0)
    hub.turn_to(2)
    proof = hub.commit(1000)
    hub.turn_to(3)
    contract = context.gateway.contract
    call = request_withdrawal(contract, token=contract, proof=proof, amount=40, fee=10**16)
    assert hub.chain.execute(holder, call).succeeded
    hub.chain.mine(CONFIRMATIONS)
    follow()
    return context


async def differing(context: Context) -> dict[str, str]:
    """The wallets whose requests differ, with the message."""
    await ActivityEnvironment().run(Sanity(context).check_sanity)
    return {
        about: row.message
        for (subject, about), row in open_alarms(context).items()
        if subject == alarms.REQUESTS_DIFFER
    }


def slash(
    chain: Chain, context: Context, holder: TransactionSigner, *, through: bytes | None = None
) -> None:
    """Anybody with the wallet's marker may do this, by way of a contract `through` if there is."""
    contract = context.gateway.contract
    marker: dict[str, Any] = {"contract": contract, "token": contract, "eon": 3, "amount": 0}
    digest = minimum_available_balance_digest(wallet=holder.address, **marker)
    call = slash_withdrawal(
        contract,
        token=contract,
        holder=holder.address,
        marker_eon=3,
        marker_amount=0,
        signature=Signer(account_key(1)).sign(digest),
    )
    if through is not None:
        # Hands the call data on to the commit-chain.
        code = f"0x36600060003760006000366000600073{contract.hex()}5af100"
        chain.rpc("anvil_setCode", "0x" + through.hex(), code)
        call = replace(call, to=through)
    assert chain.execute(TransactionSigner(account_key(2)), call).succeeded
    if through is not None:
        # Later tests of the same node find nobody there again.
        chain.rpc("anvil_setCode", "0x" + through.hex(), "0x")


async def test_a_slash_by_anybody_is_read_out_of_its_transaction(
    requested: Context, chain: Chain, follow: Follow, holder: TransactionSigner
) -> None:
    slash(chain, requested, holder)
    follow()
    assert open_alarms(requested).keys().isdisjoint({(alarms.ACCUMULATOR, "chain")})
    chain.mine(CONFIRMATIONS)
    follow()
    assert (alarms.ACCUMULATOR, "chain") not in open_alarms(requested)
    assert await differing(requested) == {}
    with requested.sessions() as session:
        assert session.scalars(select(WithdrawalRequest.status)).all() == ["slashed"]


async def test_a_slash_without_an_event_is_noticed_and_the_wallet_named(
    requested: Context, chain: Chain, follow: Follow, holder: TransactionSigner
) -> None:
    assert await differing(requested) == {}
    slash(chain, requested, holder, through=b"\x77" * 20)
    chain.mine(CONFIRMATIONS)
    follow()
    assert (alarms.ACCUMULATOR, "chain") in open_alarms(requested)
    desk = names.withdrawal_desk_id("ETH", holder.address.hex())
    message = "the contract lists nothing, the ledger 40 of eon 3"
    assert await differing(requested) == {desk: message}
    # The ledger takes the contract's word.
    with requested.sessions.begin() as session:
        session.execute(update(WithdrawalRequest).values(status="slashed"))
    assert await differing(requested) == {}


async def test_what_the_published_contract_lists_although_it_is_paid_is_no_difference(
    requested: Context,
) -> None:
    with requested.sessions.begin() as session:
        session.execute(update(WithdrawalRequest).values(status="paid"))
    assert await differing(requested) == {}


async def test_a_request_that_only_the_contract_has_open_is_noticed(
    requested: Context, holder: TransactionSigner
) -> None:
    with requested.sessions.begin() as session:
        session.execute(update(WithdrawalRequest).values(status="slashed"))
    desk = names.withdrawal_desk_id("ETH", holder.address.hex())
    message = "the contract lists 40 of eon 3, the ledger nothing"
    assert await differing(requested) == {desk: message}

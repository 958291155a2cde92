"""What wallets are told and shown of a checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from api.streams.teller import WALLETS_AT_ONCE
from ledger.checkpoint import announce_checkpoint, build_checkpoint
from ledger.closing import close_eon
from tests.api.payments import Payer, admit
from tests.api.schemas import require_shape
from tests.api.serving import Site
from tests.ledger.world import ETH, LQD, World, key, text_of
from wallet.wire import WalletState

pytestmark = pytest.mark.asyncio
EVENT = "CHECKPOINT_CREATED"


def turn(ledger: World, *, announce: bool = True) -> None:
    """Close eon 1 and make the checkpoint of eon 2."""
    ledger.move_to_eon(2)
    ledger.confirm(ledger.rules.clock.last_block(1))
    with ledger.begin() as session:
        close_eon(session, ledger.rules, 1)
    build_checkpoint(ledger.engine, ledger.rules, 2)
    if announce:
        with ledger.begin() as session:
            announce_checkpoint(session, 2)


async def state_of(site: Site, payer: Payer, eon: int) -> Any:
    path = f"/audit/{eon}/{text_of(payer.token)}/{text_of(payer.key.address)}/"
    status, state = await site.get(path)
    assert status == 200
    require_shape("WalletState", state)
    # Our own client, as strict about unknown members as the wallets' suites.
    WalletState.read(state)
    return state


async def test_every_listening_wallet_with_a_leaf_is_told_its_state_once(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    admit(ledger, "deaf", deposit=9)
    elsewhere = admit(ledger, "alice", deposit=7, token=LQD)
    assert (await site.post("/transfer/", alice.body(bob, 30)))[0] == 201
    stranger = f"wallet/{text_of(ETH)}/{text_of(key('stranger').address)}"
    late = f"wallet/{text_of(ETH)}/{text_of(key('late').address)}"
    async with site.socket(bob.stream, elsewhere.stream, stranger, alice.stream, late) as socket:
        turn(ledger, announce=False)
        ledger.admit("late")
        assert (await socket.event())[:2] == (late, "REGISTERED_WALLET")
        with ledger.begin() as session:
            announce_checkpoint(session, 2)
        told = {
            name: (event, payload) for name, event, payload in [await socket.event() for _ in "abc"]
        }
        assert await socket.silent()

    assert set(told) == {alice.stream, bob.stream, elsewhere.stream}
    for payer, balance in ((alice, 70), (bob, 30), (elsewhere, 7)):
        event, payload = told[payer.stream]
        assert event == EVENT
        require_shape("WalletState", payload)
        proof = payload["merkle_proof"]
        assert proof["eon_number"] == 2
        assert int(proof["right"]) - int(proof["left"]) == balance
        assert payload == await state_of(site, payer, 2)


async def test_many_wallets_are_each_told_once(site: Site, ledger: World) -> None:
    payers = [admit(ledger, f"wallet {number}") for number in range(2 * WALLETS_AT_ONCE + 5)]
    async with site.socket(*(payer.stream for payer in payers)) as socket:
        turn(ledger)
        told = [await socket.event() for _ in payers]
        assert await socket.silent()

    assert {event for _, event, _ in told} == {EVENT}
    assert {name for name, _, _ in told} == {payer.stream for payer in payers}


async def test_delivery_is_proven_to_the_sender_with_the_recipients_leaf(
    site: Site, ledger: World
) -> None:
    alice, bob = admit(ledger, "alice", deposit=100), admit(ledger, "bob")
    _, sent = await site.post("/transfer/", alice.body(bob, 30))
    turn(ledger)

    (of_sender,) = (await state_of(site, alice, 1))["transactions"]
    (of_recipient,) = (await state_of(site, bob, 1))["transactions"]
    _, alone = await site.get(f"/audit/transactions/{sent['id']}/")

    require_shape("Transaction", alone)
    proof = of_sender["delivery_proof"]
    assert proof["merkle_proof"] == (await state_of(site, bob, 2))["merkle_proof"]
    assert proof["transfer_membership_values"] == []
    assert proof["transfer_membership_trail"] == 0
    assert alone == of_sender
    assert "merkle_proof" not in of_recipient["delivery_proof"]


async def test_between_the_turn_and_the_checkpoint_the_new_eon_has_no_proof(
    site: Site, ledger: World
) -> None:
    alice = admit(ledger, "alice", deposit=100)
    ledger.move_to_eon(2, sub_block=0)
    assert (await state_of(site, alice, 2))["merkle_proof"] is None
    turn(ledger)
    assert (await state_of(site, alice, 2))["merkle_proof"] is not None

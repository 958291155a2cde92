"""A wallet believes nothing that it can check: each lie of an operator is caught by name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from simulation.chapters import Chapter
from simulation.round import Amounts, Round
from tests.end_to_end.conftest import RunningOperator
from tests.end_to_end.lying_operator import lying, truth
from wallet.errors import Deception, MalformedAnswer
from wallet.operator_api import OperatorApi
from wallet.parent_chain import ParentChain
from wallet.wallet import Home, Wallet, open_home

AMOUNTS = Amounts(deposit=10**18, payment=3 * 10**17, repayment=10**17, withdrawal=15 * 10**16)
Change = Callable[[Any], None]


def flip(text: str) -> str:
    """Change the first digit of a hexadecimal or decimal text, keeping its form."""
    at = 2 if text.startswith("0x") else 0
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


def change(*path: str | int) -> Change:
    """Alter the text or number at a path of the answer."""

    def apply(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        value = body[path[-1]]
        body[path[-1]] = value + 1 if isinstance(value, int) else flip(value)

    return apply


def add_member(body: Any) -> None:
    body["balance"] = "1"


SENT, RECEIVED = ("transactions", 0), ("transactions", 1)
LIES_ABOUT_A_WALLET: dict[str, Change] = {
    "another trail": change("registration", "trail_identifier"),
    "a forged admission": change("registration", "operator_authorization"),
    "a forged countersignature": change(*SENT, "sender_active_state", "operator_signature"),
    "another set root": change(*SENT, "sender_active_state", "tx_set_hash"),
    "other spendings": change(*SENT, "sender_active_state", "updated_spendings"),
    "another amount sent": change(*SENT, "amount"),
    "another recipient trail": change(*SENT, "recipient", "trail_identifier"),
    "another nonce": change(*SENT, "nonce"),
    "a receipt out of place": change(*RECEIVED, "position"),
    "a receipt of another state": change(*RECEIVED, "sender_active_state", "updated_spendings"),
    "a member that the wire does not have": add_member,
}
LIES_ABOUT_A_CHECKPOINT: dict[str, Change] = {
    "a wider allotment": change("merkle_proof", "right"),
    "an earlier allotment": change("merkle_proof", "left"),
    "another leaf": change("merkle_proof", "trail"),
    "another state": change("merkle_proof", "active_state_checksum"),
    "other receipts": change("merkle_proof", "passive_checksum"),
    "another sum of receipts": change("merkle_proof", "passive_amount"),
    "another marker": change("merkle_proof", "passive_marker"),
    "another path": change("merkle_proof", "allotment_chain", 0),
    "another edge": change("merkle_proof", "values", 0),
    "another token's path": change("merkle_proof", "membership_chain", 0),
}


async def assert_caught(
    operator: RunningOperator,
    lies: dict[str, Change],
    read: Callable[[Wallet], Any],
    *,
    proof_of: int | None,
) -> None:
    async with lying(operator.url) as (liar, url), OperatorApi(url) as api:
        home = await open_home(api, ParentChain(operator.node_url, operator.contract))
        for name, lie in lies.items():
            wallet = Wallet(home, operator.keys(1), operator.contract)
            registration = await api.whois(wallet.token, wallet.keys.address)
            assert registration is not None
            wallet.accept_registration(registration)

            def tell(_path: str, body: Any, lie: Change = lie) -> Any:
                if not isinstance(body, dict) or "registration" not in body:
                    return body
                proof = body["merkle_proof"]
                if proof_of is not None and (proof is None or proof["eon_number"] != proof_of):
                    return body
                said = copy.deepcopy(body)
                lie(said)
                return said

            liar.lie = tell
            with pytest.raises((Deception, MalformedAnswer)):
                await read(wallet)
                pytest.fail(f"the wallet believed {name}")
            liar.lie = truth


async def test_a_wallet_catches_every_lie_about_its_payments_and_its_proof(
    operator: RunningOperator, home: Home
) -> None:
    chapters: list[Chapter] = []
    keys = (operator.keys(1), operator.keys(2))
    tale = Round.of(home, keys, operator.contract, AMOUNTS, operator.pace(), chapters.append)
    await tale.register()
    await tale.deposit()
    await tale.pay_both_ways()
    eon = tale.payer.book.eon

    async def synchronise(wallet: Wallet) -> None:
        await wallet.sync()

    await assert_caught(operator, LIES_ABOUT_A_WALLET, synchronise, proof_of=None)
    await tale.see_commitment(eon + 1)

    async def prove(wallet: Wallet) -> None:
        await wallet.sync()
        await wallet.verify_on_chain(eon + 1)

    await assert_caught(operator, LIES_ABOUT_A_CHECKPOINT, prove, proof_of=eon + 1)

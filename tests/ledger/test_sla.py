"""Buying a service level agreement with a transfer."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import insert

from ledger.refusals import Refusal
from ledger.sla import buy_agreement, running_agreement
from models import ServiceLevelAgreement, Transfer, Wallet
from tests.ledger.world import ETH, ETHER, LQD, World, key

ALICE = key("alice").address
NONCES = count(1)


@pytest.fixture
def shop(ledger: World) -> "Shop":
    return Shop(ledger)


class Shop:
    """Alice and Bob with wallets in both tokens; payments without the rules of transfers."""

    def __init__(self, ledger: World) -> None:
        self.ledger = ledger
        self.wallets: dict[tuple[str, bytes], Wallet] = {
            (name, token): ledger.admit(name, token)
            for name in ("alice", "bob")
            for token in (ETH, LQD)
        }
        with ledger.begin() as session:
            for wallet in session.query(Wallet):
                if bytes(wallet.address) == ledger.rules.operator.address:
                    self.wallets["operator", ETH if wallet.token_id == 1 else LQD] = wallet

    def pay(
        self,
        amount: int = ETHER,
        *,
        recipient: str = "operator",
        token: bytes = LQD,
        voided: bool = False,
    ) -> int:
        nonce = next(NONCES)
        with self.ledger.begin() as session:
            row = insert(Transfer).values(
                sender_id=self.wallets["alice", token].id,
                recipient_id=self.wallets[recipient, token].id,
                amount=amount,
                eon=1,
                nonce=nonce,
                passive=True,
                position=nonce * 10**30,
                receipt_index=nonce,
                appended=True,
                processed=True,
                complete=True,
                voided=voided,
            )
            return session.execute(row.returning(Transfer.id)).scalar_one()

    def buy(self, transfer_id: int, address: bytes = ALICE) -> ServiceLevelAgreement:
        with self.ledger.begin() as session:
            return buy_agreement(session, self.ledger.rules, address, transfer_id)

    def refused(self, transfer_id: int, address: bytes = ALICE) -> str:
        with pytest.raises(Refusal) as refusal:
            self.buy(transfer_id, address)
        return refusal.value.code


def test_the_exact_price_buys_thirty_days(shop: Shop) -> None:
    payment = shop.pay()
    agreement = shop.buy(payment)
    ahead = agreement.expiry - datetime.now(UTC)
    assert abs(ahead - timedelta(days=30)) < timedelta(seconds=5)
    with shop.ledger.begin() as session:
        running = running_agreement(session, ALICE)
        assert running is not None and running.transfer_id == payment
        assert running_agreement(session, key("bob").address) is None


def test_a_payment_buys_once_and_not_while_an_agreement_runs(shop: Shop) -> None:
    payment = shop.pay()
    shop.buy(payment)
    assert shop.refused(payment) == "SLA_ALREADY_EXISTS_FOR_TRANSFER"
    assert shop.refused(shop.pay()) == "SLA_STILL_VALID_FOR_WALLET"


def test_other_payments_buy_nothing(shop: Shop) -> None:
    assert shop.refused(10**9) == "TRANSFER_DOES_NOT_EXIST"
    assert shop.refused(shop.pay(recipient="bob")) == "TRANSFER_MADE_TO_WRONG_WALLET"
    assert shop.refused(shop.pay(token=ETH)) == "TRANSFER_MADE_WITH_WRONG_TOKEN"
    assert shop.refused(shop.pay(ETHER - 1)) == "TRANSFER_DOES_NOT_EXIST"
    assert shop.refused(shop.pay(voided=True)) == "TRANSFER_DOES_NOT_EXIST"
    assert shop.refused(shop.pay(), key("bob").address) == "TRANSFER_DOES_NOT_EXIST"

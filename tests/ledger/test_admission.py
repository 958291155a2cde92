"""Who becomes a wallet, when, under which trail, and with which money."""

from sqlalchemy import select

from models import Wallet
from protocol.signing import is_signed_by
from protocol.states import admission_digest
from tests.ledger.world import CONTRACT, ETH, World, key


def test_an_admitted_wallet_gets_the_next_trail_and_a_countersigned_empty_state(
    ledger: World,
) -> None:
    ledger.move_to_eon(4)
    for name in ("first", "second"):
        ledger.admit(name)
    wallet = ledger.admit("alice")
    assert (wallet.trail_identifier, wallet.registration_eon) == (3, 4)
    state = admission_digest(
        contract=CONTRACT, token=ETH, wallet=key("alice").address, trail=3, eon=4
    )
    assert is_signed_by(state, wallet.operator_authorization, ledger.rules.operator.address)
    with ledger.begin() as session:
        stored = session.scalars(select(Wallet).where(Wallet.id == wallet.id)).one()
        assert stored.trail_identifier == 3

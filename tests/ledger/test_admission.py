"""Who becomes a wallet, when, under which trail, and with which money."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from ledger.admission import AdmissionRequest, admit, admit_bulk
from ledger.blacklist import bar_address, clear_address
from ledger.checkpoint import build_checkpoint
from ledger.closing import close_eon
from ledger.interventions import Person
from ledger.refusals import Refusal
from models import (
    BlacklistEntry,
    Deposit,
    ExclusiveBalanceAllotment,
    InterventionRecord,
    Notification,
    OrphanDeposit,
    TermsOfServiceSignature,
    Token,
    Wallet,
    WalletEon,
)
from protocol.signing import is_signed_by
from protocol.states import admission_digest
from tests.ledger.world import CONTRACT, ETH, LQD, World, key, text_of

pytestmark = pytest.mark.usefixtures("audited")
PERSON = Person("a person", "a test")


def refuse(ledger: World, request: AdmissionRequest) -> str:
    """The code with which a registration is refused."""
    with pytest.raises(Refusal) as refused, ledger.begin() as session:
        admit(session, ledger.rules, request)
    return refused.value.code


def counts(ledger: World) -> tuple[int, int, int]:
    """Wallets, terms signatures and notifications."""
    with ledger.begin() as session:
        tables = (Wallet, TermsOfServiceSignature, Notification)
        wallets, signatures, told = (
            session.scalar(select(func.count()).select_from(table)) or 0 for table in tables
        )
    return wallets, signatures, told


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


def test_a_wallet_is_told_of_its_admission_exactly_once(ledger: World) -> None:
    ledger.move_to_eon(4)
    wallet = ledger.admit("alice")
    stream = f"wallet/{text_of(ETH)}/{text_of(key('alice').address)}"
    with ledger.begin() as session:
        told = session.scalars(
            select(Notification).where(Notification.streams.contains([stream]))
        ).all()
    assert [(one.event, one.payload) for one in told] == [
        (
            "REGISTERED_WALLET",
            {
                "eon_number": 4,
                "authorization": wallet.wallet_authorization.hex(),
                "operator_authorization": wallet.operator_authorization.hex(),
                "trail_identifier": 1,
            },
        )
    ]


def test_the_operator_owns_trail_zero_of_each_token(ledger: World) -> None:
    with ledger.begin() as session:
        rows = session.execute(
            select(Token.trail, Wallet.trail_identifier)
            .join(Wallet, Wallet.token_id == Token.id)
            .where(Wallet.address == ledger.rules.operator.address)
            .order_by(Token.trail)
        ).all()
    assert [tuple(row) for row in rows] == [(0, 0), (1, 0)]


@pytest.mark.parametrize("eon", [3, 5])
def test_an_authorisation_over_another_eon_leaves_nothing_behind(ledger: World, eon: int) -> None:
    ledger.move_to_eon(4)
    with ledger.begin() as session:
        session.execute(text("INSERT INTO eon (number, closed_at) VALUES (3, now())"))
    before = counts(ledger)
    assert refuse(ledger, ledger.admission("alice", eon=eon)) == "INVALID_ADMISSION_SIGNATURE"
    assert counts(ledger) == before


def test_an_authorisation_by_another_key_is_refused(ledger: World) -> None:
    request = ledger.admission("alice", signer=key("mallory"))
    assert refuse(ledger, request) == "INVALID_ADMISSION_SIGNATURE"


@pytest.mark.parametrize("garbage", [b"", b"\x00" * 65, b"\xff" * 65])
def test_a_malformed_signature_is_a_wrong_one(ledger: World, garbage: bytes) -> None:
    request = ledger.admission("alice")
    assert refuse(ledger, replace(request, authorization=garbage)) == "INVALID_ADMISSION_SIGNATURE"
    assert refuse(ledger, replace(request, terms_signature=garbage)) == "INVALID_TOS_SIGNATURE"


def test_the_same_address_registers_once_in_each_token(ledger: World) -> None:
    ledger.admit("first")
    ledger.admit("alice")
    assert refuse(ledger, ledger.admission("alice")) == "WALLET_ALREADY_ADMITTED"
    assert ledger.admit("alice", LQD).trail_identifier == 1


def test_checks_are_answered_in_the_order_of_the_wire(ledger: World) -> None:
    ledger.admit("alice")
    wrong = ledger.admission("alice", eon=7, terms=False)
    assert refuse(ledger, replace(wrong, token=b"\x01" * 20)) == "TOKEN_NOT_REGISTERED"
    with ledger.begin() as session:
        bar_address(session, key("alice").address, PERSON)
    assert refuse(ledger, wrong) == "WALLET_BLACKLISTED"
    with ledger.begin() as session:
        clear_address(session, key("alice").address, PERSON)
    assert refuse(ledger, wrong) == "WALLET_ALREADY_ADMITTED"
    fresh = ledger.admission("bob", eon=7, terms=False)
    assert refuse(ledger, fresh) == "INVALID_ADMISSION_SIGNATURE"
    assert refuse(ledger, ledger.admission("bob", terms=False)) == "INVALID_TOS_SIGNATURE"


def test_barring_an_address_names_who_did_it_and_why(ledger: World) -> None:
    with ledger.begin() as session:
        assert bar_address(session, key("eve").address, Person("ada", "fraud"))
        assert not bar_address(session, key("eve").address, Person("bob", "again"))
        entry = session.scalars(select(BlacklistEntry)).one()
        assert (entry.actor, entry.reason) == ("ada", "fraud")
        records = session.scalars(select(InterventionRecord).order_by(InterventionRecord.id))
        assert [record.actor for record in records] == ["ada", "bob"]


def test_a_bulk_registration_skips_known_and_barred_wallets(ledger: World) -> None:
    ledger.admit("known")
    with ledger.begin() as session:
        bar_address(session, key("barred").address, PERSON)
    fresh = [f"new {number}" for number in range(16)]
    requests = [
        ledger.admission("known", eon=7),
        *(ledger.admission(name) for name in ("barred", *fresh)),
        ledger.admission("both", LQD),
        ledger.admission("both", ETH),
    ]
    wallets, signatures, told = counts(ledger)
    with ledger.begin() as session:
        admitted = admit_bulk(session, ledger.rules, requests)
    assert [bytes(wallet.address) for wallet in admitted] == [r.address for r in requests[2:]]
    assert counts(ledger) == (wallets + 18, signatures + 17, told + 18)
    with ledger.begin() as session:
        newest = session.scalars(select(Notification).order_by(Notification.id).offset(told)).all()
    assert [one.streams[0].rsplit("/", 1)[1] for one in newest] == [
        request.address_text for request in requests[2:]
    ]


def test_a_repeated_bulk_registration_tells_the_wallets_again_in_body_order(
    ledger: World,
) -> None:
    requests = [ledger.admission(name) for name in ("first", "second", "third")]
    with ledger.begin() as session:
        admit_bulk(session, ledger.rules, requests[1:2])
    before = counts(ledger)
    with ledger.begin() as session:
        assert len(admit_bulk(session, ledger.rules, requests)) == 2
        newest = session.scalars(
            select(Notification).order_by(Notification.id).offset(before[2])
        ).all()
    assert [one.streams[0].rsplit("/", 1)[1] for one in newest] == [
        request.address_text for request in requests
    ]


def test_the_same_wallet_twice_in_one_bulk_registration_is_known_the_second_time(
    ledger: World,
) -> None:
    request = ledger.admission("alice")
    with ledger.begin() as session:
        assert len(admit_bulk(session, ledger.rules, [request, request])) == 1


def test_a_bulk_registration_is_bounded(ledger: World) -> None:
    requests = [ledger.admission(f"new {number}") for number in range(21)]
    before = counts(ledger)
    with pytest.raises(Refusal, match="TOO_MANY_ADMISSION_REQUESTS"), ledger.begin() as session:
        admit_bulk(session, ledger.rules, requests)
    assert counts(ledger) == before


def test_a_bulk_registration_is_all_or_nothing(ledger: World) -> None:
    requests = [ledger.admission(f"new {number}", terms=number != 3) for number in range(5)]
    before = counts(ledger)
    with pytest.raises(Refusal, match="INVALID_TOS_SIGNATURE"), ledger.begin() as session:
        admit_bulk(session, ledger.rules, requests)
    assert counts(ledger) == before


def test_trails_are_dense_when_thirty_register_at_once(ledger: World) -> None:
    ledger.admit("first")
    requests = [ledger.admission(f"racer {number}") for number in range(30)]

    def register(request: AdmissionRequest) -> int:
        with ledger.begin() as session:
            trail = admit(session, ledger.rules, request).trail_identifier
        assert trail is not None
        return trail

    with ThreadPoolExecutor(10) as pool:
        trails = list(pool.map(register, requests))
    assert sorted(trails) == list(range(2, 32))


def test_one_of_two_simultaneous_registrations_of_a_wallet_wins(ledger: World) -> None:
    request = ledger.admission("alice")

    def register(_: int) -> str:
        try:
            with ledger.begin() as session:
                admit(session, ledger.rules, request)
        except Refusal as refusal:
            return refusal.code
        return "admitted"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(register, range(8)))
    assert outcomes == ["WALLET_ALREADY_ADMITTED"] * 7 + ["admitted"]
    with ledger.begin() as session:
        assert session.scalar(select(Token.wallet_count).where(Token.address == ETH)) == 2


def test_a_registration_signed_before_the_turn_of_the_eon_is_admitted_in_its_eon(
    ledger: World,
) -> None:
    ledger.move_to_eon(4)
    request = ledger.admission("alice")
    ledger.move_to(820)
    assert ledger.eon == 5
    with ledger.begin() as session:
        wallet = admit(session, ledger.rules, request)
    assert wallet.registration_eon == 4
    state = admission_digest(
        contract=CONTRACT, token=ETH, wallet=key("alice").address, trail=1, eon=4
    )
    assert is_signed_by(state, wallet.operator_authorization, ledger.rules.operator.address)


def test_a_registration_of_a_closed_eon_is_refused_and_can_be_repeated(ledger: World) -> None:
    ledger.move_to_eon(4)
    request = ledger.admission("alice")
    ledger.move_to_eon(5)
    with ledger.begin() as session:
        session.execute(text("INSERT INTO eon (number, closed_at) VALUES (4, now())"))
    assert refuse(ledger, request) == "INVALID_ADMISSION_SIGNATURE"
    assert ledger.admit("alice").registration_eon == 5


def test_who_is_admitted_while_the_eon_closes_is_a_leaf_of_the_next_checkpoint(
    ledger: World,
) -> None:
    ledger.move_to_eon(4)
    requests = [ledger.admission(f"racer {number}") for number in range(24)]
    ledger.move_to(826)

    def register(request: AdmissionRequest) -> int | None:
        try:
            with ledger.begin() as session:
                return admit(session, ledger.rules, request).id
        except Refusal as refusal:
            assert refusal.code == "INVALID_ADMISSION_SIGNATURE"
            return None

    def close() -> None:
        with ledger.begin() as session:
            close_eon(session, ledger.rules, 4)

    with ThreadPoolExecutor(4) as pool:
        first = [pool.submit(register, request) for request in requests[:12]]
        closing = pool.submit(close)
        later = [pool.submit(register, request) for request in requests[12:]]
        closing.result()
        admitted = [job.result() for job in first + later]
    build_checkpoint(ledger.engine, ledger.rules, 5)
    ids = {wallet_id for wallet_id in admitted if wallet_id is not None}
    with ledger.begin() as session:
        leaves = session.scalars(
            select(ExclusiveBalanceAllotment.wallet_id).where(ExclusiveBalanceAllotment.eon == 5)
        ).all()
    assert ids and ids <= set(leaves)
    assert register(requests[-1]) is None


def test_money_that_came_before_the_registration_is_credited_with_it(ledger: World) -> None:
    ledger.move_to_eon(3)
    ledger.deposit("alice", 70)
    ledger.deposit("alice", 5, LQD)
    ledger.move_to_eon(4)
    ledger.deposit("alice", 30)
    wallet = ledger.admit("alice")
    with ledger.begin() as session:
        deposits = session.scalars(select(Deposit).order_by(Deposit.id)).all()
        account = session.get_one(WalletEon, (wallet.id, 4))
        waiting = session.scalars(
            select(OrphanDeposit.amount).where(OrphanDeposit.deposit_id.is_(None))
        ).all()
        told = session.scalars(select(Notification.event).order_by(Notification.id.desc())).all()
    assert [(d.wallet_id, d.amount, d.eon) for d in deposits] == [
        (wallet.id, 70, 4),
        (wallet.id, 30, 4),
    ]
    assert account.deposited == 100
    assert waiting == [5]
    assert told[:3] == ["CONFIRMED_DEPOSIT", "CONFIRMED_DEPOSIT", "REGISTERED_WALLET"]


def test_a_stranger_cannot_bar_an_address_with_a_deposit_of_nothing(ledger: World) -> None:
    ledger.deposit("alice", 0)
    assert ledger.admit("alice").trail_identifier == 1
    with ledger.begin() as session:
        assert session.scalar(select(func.count()).select_from(Deposit)) == 0
        assert session.scalar(select(func.count()).select_from(OrphanDeposit)) == 0


class TestCaps:
    @pytest.mark.parametrize("rules", [{"registrations_per_address_limit": 1}], indirect=True)
    def test_an_address_may_hold_so_many_wallets(self, ledger: World) -> None:
        ledger.admit("alice")
        assert refuse(ledger, ledger.admission("alice", LQD)) == "REGISTRATION_LIMIT_REACHED"

    @pytest.mark.parametrize("rules", [{"registrations_per_eon_limit": 2}], indirect=True)
    def test_a_token_grows_by_so_many_wallets_in_an_eon(self, ledger: World) -> None:
        ledger.move_to_eon(2)
        ledger.admit("first")
        with ledger.begin() as session, pytest.raises(Refusal, match="REGISTRATION_LIMIT_REACHED"):
            admit_bulk(
                session,
                ledger.rules,
                [ledger.admission("second"), ledger.admission("third")],
            )
        ledger.admit("second")
        assert refuse(ledger, ledger.admission("third")) == "REGISTRATION_LIMIT_REACHED"
        assert ledger.admit("third", LQD).trail_identifier == 1
        ledger.move_to_eon(3)
        assert ledger.admit("third").trail_identifier == 3

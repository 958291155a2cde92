"""The contract that a database belongs to, its tokens and the owners' wallets."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from ledger.parameters import (
    ForeignDatabase,
    LedgerPolicy,
    find_parameters,
    load_rules,
    store_parameters,
)
from ledger.refusals import LedgerInvariant, Refusal
from ledger.tokens import TrailMismatch, activate_token, add_native_token, add_pair, add_token
from models import Token, Wallet
from models.engine import open_engine, open_sessions
from tests.ledger.world import CONTRACT, ETH, LQD, World, key, make_rules

STRANGE = b"\x07" * 20


def policy_of(world: World) -> LedgerPolicy:
    return LedgerPolicy(
        **{name: getattr(world.rules, name) for name in LedgerPolicy.__dataclass_fields__}
    )


def test_the_rules_come_back_from_the_database(ledger: World) -> None:
    with ledger.begin() as session:
        rules = load_rules(session, operator=ledger.rules.operator, policy=policy_of(ledger))
    assert rules == ledger.rules


def test_there_are_no_rules_before_bootstrap(database_url: str) -> None:
    engine = open_engine(database_url, application_name="tests")
    empty = World(engine, open_sessions(engine), make_rules())
    with empty.begin() as session:
        policy = policy_of(empty)
        assert load_rules(session, operator=empty.rules.operator, policy=policy) is None
    engine.dispose()


def test_the_key_must_be_the_operators(ledger: World) -> None:
    with ledger.begin() as session, pytest.raises(ForeignDatabase):
        load_rules(session, operator=key("mallory"), policy=policy_of(ledger))


@pytest.mark.parametrize(
    ("member", "value"), [("chain_id", 1), ("contract", STRANGE), ("blocks_per_eon", 36)]
)
def test_a_database_serves_one_contract(ledger: World, member: str, value: object) -> None:
    with ledger.begin() as session:
        stored = find_parameters(session)
        assert stored is not None
        store_parameters(session, stored)
        changed = replace(stored, **{member: value})  # type: ignore[arg-type]
        with pytest.raises(ForeignDatabase, match=member):
            store_parameters(session, changed)


def test_a_pending_token_admits_nobody_until_its_trail_is_confirmed(ledger: World) -> None:
    with ledger.begin() as session:
        add_token(session, ledger.rules, STRANGE, name="Strange", short_name="STR")
    with pytest.raises(Refusal, match="TOKEN_NOT_REGISTERED"):
        ledger.admit("alice", STRANGE)
    with ledger.begin() as session:
        activate_token(session, ledger.rules, STRANGE, 2)
    assert ledger.admit("alice", STRANGE).trail_identifier == 1


def test_a_token_is_active_only_under_the_trail_of_the_chain(ledger: World) -> None:
    with ledger.begin() as session:
        add_token(session, ledger.rules, STRANGE, name="Strange", short_name="STR")
    for address, trail in ((STRANGE, 3), (LQD, 2)):
        with pytest.raises(TrailMismatch), ledger.begin() as session:
            activate_token(session, ledger.rules, address, trail)
    with pytest.raises(LedgerInvariant), ledger.begin() as session:
        activate_token(session, ledger.rules, b"\x08" * 20, 2)
    with ledger.begin() as session:
        states = session.execute(select(Token.short_name, Token.state).order_by(Token.id))
        assert [tuple(row) for row in states] == [
            ("ETH", "active"),
            ("LQD", "active"),
            ("STR", "pending"),
        ]


def test_activation_may_be_repeated(ledger: World) -> None:
    with ledger.begin() as session:
        add_native_token(session, ledger.rules)
        activate_token(session, ledger.rules, LQD, 1)
        assert len(session.scalars(select(Wallet)).all()) == 2


def test_the_native_asset_is_never_registered_a_second_time(ledger: World) -> None:
    for address in (CONTRACT, LQD):
        with pytest.raises(Refusal, match="TOKEN_ALREADY_KNOWN"), ledger.begin() as session:
            add_token(session, ledger.rules, address, name="Again", short_name="AGN")


def test_another_cashier_gets_a_wallet_in_the_token_of_agreements(ledger: World) -> None:
    cashier = key("cashier")
    with ledger.begin() as session:
        activate_token(session, ledger.rules, LQD, 1, sla_recipient=cashier)
        activate_token(session, ledger.rules, ETH, 0, sla_recipient=cashier)
        wallets = session.execute(
            select(Token.short_name, Wallet.trail_identifier)
            .join(Wallet, Wallet.token_id == Token.id)
            .where(Wallet.address == cashier.address)
        )
        assert [tuple(row) for row in wallets] == [("LQD", 1)]


def test_a_pair_is_a_direction_between_two_known_tokens(ledger: World) -> None:
    with ledger.begin() as session:
        assert add_pair(session, ETH, LQD)
        assert not add_pair(session, ETH, LQD)
        with pytest.raises(Refusal, match="TOKEN_NOT_REGISTERED"):
            add_pair(session, ETH, STRANGE)
        with pytest.raises(Refusal, match="DEBIT_CREDIT_TOKEN_ADDRESS_MATCH"):
            add_pair(session, ETH, ETH)

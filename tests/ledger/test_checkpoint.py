"""Closing an eon and its checkpoint: leaves, intervals, proofs, unclaimed money, over-claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from ledger.audit.checkpoints import verify_allotment
from ledger.checkpoint import announce_checkpoint, build_checkpoint, discard_checkpoint
from ledger.checkpoint.building import EonNotClosed
from ledger.closing import EonNotSettled
from ledger.interventions import Person
from ledger.proofs import allotment_proof, allotment_proofs, receipt_proofs
from ledger.refusals import LedgerInvariant
from ledger.unclaimed import CannotClaim, claim_unclaimed
from models import (
    Alarm,
    BalanceTreeLevel,
    EonMembership,
    ExclusiveBalanceAllotment,
    Notification,
    RootCommitment,
    Token,
    TokenCommitment,
    Transfer,
    UnclaimedClaim,
    Wallet,
)
from protocol.encoding import ZERO_HASH
from protocol.transfers import transfer_leaf
from protocol.trees.balance import inner_digest, leaf_digest, padding_leaf
from protocol.trees.passive import PassiveLeaf, passive_root, verify_passive_proof
from tests.ledger.paying import Bank
from tests.ledger.world import CONTRACT, ETH, LQD, World, key

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def bank(ledger: World) -> Iterator[Bank]:
    bank = Bank(ledger)
    yield bank
    assert bank.faults() == []


def fund(bank: Bank, amounts: dict[str, int]) -> None:
    for name, amount in amounts.items():
        bank.world.admit(name)
        if amount:
            bank.world.deposit(name, amount)


def intervals(bank: Bank, eon: int, token: bytes = ETH) -> list[tuple[int, int]]:
    with bank.world.begin() as session:
        rows = session.execute(
            select(ExclusiveBalanceAllotment.left_bound, ExclusiveBalanceAllotment.right_bound)
            .join(Wallet, Wallet.id == ExclusiveBalanceAllotment.wallet_id)
            .join(Token, Token.id == Wallet.token_id)
            .where(Token.address == token, ExclusiveBalanceAllotment.eon == eon)
            .order_by(Wallet.trail_identifier)
        ).all()
    return [(row[0], row[1]) for row in rows]


def commitment(bank: Bank, eon: int, token: bytes = ETH) -> TokenCommitment:
    with bank.world.begin() as session:
        row = session.scalar(
            select(TokenCommitment)
            .join(Token, Token.id == TokenCommitment.token_id)
            .where(TokenCommitment.eon == eon, Token.address == token)
        )
    assert row is not None
    return row


def leaf_words(bank: Bank, eon: int) -> list[bytes]:
    token = commitment(bank, eon).token_id
    with bank.world.begin() as session:
        row = session.get(BalanceTreeLevel, (eon, token, 0))
    assert row is not None
    return [row.hashes[i : i + 32] for i in range(0, len(row.hashes), 32)]


def open_alarms(bank: Bank) -> list[tuple[str, str, str]]:
    with bank.world.begin() as session:
        rows = session.scalars(select(Alarm).where(Alarm.cleared_at.is_(None)))
        return [(row.subject, row.object, row.message) for row in rows]


class TestClosing:
    def test_an_eon_closes_only_when_its_last_block_is_confirmed_and_applied(
        self, bank: Bank
    ) -> None:
        fund(bank, {"a": 5})
        with pytest.raises(EonNotSettled, match="not over"):
            bank.close(1)
        bank.world.move_to(281)
        with pytest.raises(EonNotSettled, match="279"):
            bank.close(1)
        bank.world.event("Deposit", block=279, token=ETH, recipient=key("a").address, amount=1)
        bank.world.move_to(282)
        with pytest.raises(EonNotSettled, match="applied"):
            bank.close(1)
        bank.world.confirm(279)
        bank.close(1)
        assert bank.checkpoint(2).tokens[0].upper_bound == 6

    def test_a_checkpoint_needs_a_closed_eon(self, bank: Bank) -> None:
        bank.world.move_to_eon(2)
        with pytest.raises(EonNotClosed):
            build_checkpoint(bank.world.engine, bank.world.rules, 2)

    def test_nothing_is_added_to_a_closed_eon(self, bank: Bank) -> None:
        fund(bank, {"a": 5, "b": 0})
        accepted = bank.must_pay("a", "b", 1, 1)
        bank.world.move_to_eon(2)
        bank.close(1)
        with pytest.raises(IntegrityError, match="closed"), bank.world.begin() as session:
            row = session.get(Transfer, accepted.id)
            assert row is not None
            session.add(
                Transfer(
                    sender_id=row.sender_id, recipient_id=row.recipient_id, amount=0, eon=1, nonce=2
                )
            )
            session.flush()

    def test_closing_twice_changes_nothing(self, bank: Bank) -> None:
        fund(bank, {"a": 5})
        bank.world.move_to_eon(2)
        bank.close(1)
        bank.world.admit("late")
        bank.close(1)
        with bank.world.begin() as session:
            counts = session.scalars(
                select(EonMembership.wallet_count).order_by(EonMembership.token_id)
            ).all()
        assert counts == [2, 1]

    def test_a_wallet_admitted_after_the_close_is_no_leaf_and_begins_with_nothing(
        self, bank: Bank
    ) -> None:
        fund(bank, {"a": 5})
        bank.world.move_to_eon(2)
        bank.close(1)
        bank.world.admit("late")
        bank.world.deposit("late", 3)
        bank.checkpoint(2)
        assert len(intervals(bank, 2)) == 2
        assert bank.balances("late").allotment == 0
        assert bank.balances("late").loosely_available == 3


class TestDiscarding:
    def test_a_root_that_nobody_heard_of_is_built_anew_from_mended_books(self, bank: Bank) -> None:
        fund(bank, {"a": 100, "b": 50})
        bank.turn()
        before = commitment(bank, 2)
        bank.must_pay("a", "b", 30, 1)
        with bank.world.begin() as session:
            assert discard_checkpoint(session, 2)
            assert not discard_checkpoint(session, 2)
        assert (bank.balances("a").allotment, bank.balances("a").loosely_available) == (None, 70)
        bank.world.deposit("a", 7, block=bank.world.rules.clock.first_block(2))
        bank.checkpoint(2)
        assert bytes(commitment(bank, 2).balance_root) == bytes(before.balance_root)
        assert (bank.balances("a").allotment, bank.balances("a").loosely_available) == (100, 77)
        assert bank.faults() == []

    def test_a_root_that_wallets_heard_of_stays(self, bank: Bank) -> None:
        fund(bank, {"a": 100})
        bank.turn()
        with bank.world.begin() as session:
            announce_checkpoint(session, 2)
        with bank.world.begin() as session, pytest.raises(LedgerInvariant, match="is announced"):
            discard_checkpoint(session, 2)
        assert commitment(bank, 2).upper_bound == 100


class TestLeaves:
    def test_intervals_tile_and_a_lone_leaf_gets_padding_beside_it(self, bank: Bank) -> None:
        fund(bank, {"a": 100, "b": 0, "c": 50})
        bank.turn()
        assert intervals(bank, 2) == [(0, 0), (0, 100), (100, 100), (100, 150)]
        assert commitment(bank, 2).upper_bound == 150
        assert commitment(bank, 2).leaf_count == 4

    def test_money_without_owner_is_the_operators_leaf_after_the_wallets(self, bank: Bank) -> None:
        fund(bank, {"a": 100, "b": 0, "c": 50})
        bank.world.deposit("stranger", 20)
        bank.turn()
        assert intervals(bank, 2) == [(0, 0), (0, 100), (100, 100), (100, 150)]
        found = commitment(bank, 2)
        assert (found.upper_bound, found.managed_funds, found.leaf_count) == (170, 170, 5)
        unclaimed = inner_digest(
            contract=CONTRACT,
            token=ETH,
            wallet=bank.world.rules.operator.address,
            active_digest=ZERO_HASH,
            passive_root=ZERO_HASH,
            passive_amount=0,
            passive_marker=0,
        )
        assert leaf_words(bank, 2)[4] == leaf_digest(unclaimed, 150, 170)

    def test_what_somebody_without_a_wallet_asked_for_is_nobodys_allotment(
        self, bank: Bank
    ) -> None:
        fund(bank, {"a": 100})
        bank.world.deposit("stranger", 20)
        bank.turn()
        bank.world.request_withdrawal("stranger", 15)
        bank.turn()
        found = commitment(bank, 3)
        assert (found.upper_bound, found.managed_funds) == (105, 105)

    def test_a_claim_on_money_without_an_owner_is_the_operators_at_the_next_checkpoint(
        self, bank: Bank
    ) -> None:
        fund(bank, {"a": 100})
        bank.world.request_withdrawal("a", 30)
        bank.turn()
        # Slashed after the checkpoint has deducted it: nobody's. A stranger's is promised.
        block = bank.world.rules.clock.first_block(2)
        bank.world.event(
            "WithdrawalSlashed",
            block=block,
            token=ETH,
            requestor=key("a").address,
            eon=2,
            previous_eon_amount=30,
            current_eon_amount=0,
        )
        bank.world.confirm(block)
        bank.world.deposit("stranger", 50)
        person = Person("kim", "left by a slash", "ticket 9")
        with bank.world.begin() as session:
            for amount in (31, 20):
                assert claim_unclaimed(session, "ETH", amount, replace(person, update_id=None))
            with pytest.raises(CannotClaim, match="0 active tokens"):
                claim_unclaimed(session, "NONE", 1, person)
        bank.turn()
        assert intervals(bank, 3) == [(0, 20), (20, 90)]
        assert commitment(bank, 3).upper_bound == 150
        bank.turn()
        assert intervals(bank, 4) == [(0, 20), (20, 90)]
        with bank.world.begin() as session:
            claims = session.execute(
                select(UnclaimedClaim.amount, UnclaimedClaim.eon).order_by(UnclaimedClaim.id)
            )
            assert [(int(amount), eon) for amount, eon in claims] == [(31, None), (20, 3)]

    def test_the_first_eon_has_a_checkpoint_of_nothing(self, bank: Bank) -> None:
        fund(bank, {"a": 100})
        summary = bank.checkpoint(1)
        assert [token.upper_bound for token in summary.tokens] == [0, 0]
        assert intervals(bank, 1) == [(0, 0), (0, 0)]
        assert leaf_words(bank, 1)[0] != padding_leaf(0)
        assert bank.balances("a").loosely_available == 100
        bank.turn()
        assert bank.balances("a").allotment == 100

    def test_a_leaf_holds_the_state_the_receipts_and_the_true_position_of_the_last_transfer(
        self, bank: Bank
    ) -> None:
        fund(bank, {"a": 100, "b": 100, "c": 100, "d": 0, "r": 0})
        bank.must_pay("c", "r", 77, 1)
        bank.must_pay("b", "a", 5, 2)
        bank.must_pay("c", "a", 8, 3)
        last = bank.must_pay("a", "r", 13, 4)
        assert last.position == 77
        bank.turn()
        a = self.allotment(bank, "a")
        trail = bank.wallet("a").trail_identifier or 0
        receipts = [
            PassiveLeaf(
                transfer_leaf(
                    counterparty=key(name).address,
                    amount=amount,
                    recipient_trail=trail,
                    position=position,
                    nonce=nonce,
                ),
                position,
                position + amount,
            )
            for name, amount, position, nonce in (("b", 5, 0, 2), ("c", 8, 5, 3))
        ]
        assert a.passive_root == passive_root(receipts)
        assert (a.passive_amount, a.passive_marker) == (13, 77)
        assert a.active_state_id is not None
        d = self.allotment(bank, "d")
        assert (d.passive_root, d.passive_amount, d.passive_marker) == (None, 0, 0)
        assert (d.active_state_id, d.active_state_digest) == (None, None)

    def test_receipts_of_nothing_are_committed_to_all_the_same(self, bank: Bank) -> None:
        fund(bank, {"a": 1, "r": 0})
        bank.must_pay("a", "r", 0, 1)
        bank.turn()
        r = self.allotment(bank, "r")
        own = transfer_leaf(
            counterparty=key("a").address,
            amount=0,
            recipient_trail=bank.wallet("r").trail_identifier or 0,
            position=0,
            nonce=1,
        )
        assert (r.passive_root, r.passive_amount) == (own, 0)

    @staticmethod
    def allotment(bank: Bank, name: str) -> ExclusiveBalanceAllotment:
        with bank.world.begin() as session:
            row = session.get(ExclusiveBalanceAllotment, (bank.wallet(name).id, 2))
        assert row is not None
        return row


class TestProofs:
    def test_every_wallets_proof_leads_to_the_root_in_every_token(self, bank: Bank) -> None:
        fund(bank, {f"w{n}": n for n in range(7)})
        bank.world.admit("w1", LQD)
        bank.world.deposit("w1", 9, LQD)
        bank.must_pay("w6", "w0", 3, 1)
        root = bank.turn().merkle_root
        with bank.world.begin() as session:
            wallets = session.execute(
                select(Wallet.id, Wallet.address, Token.address).join(
                    Token, Token.id == Wallet.token_id
                )
            ).all()
            proofs = allotment_proofs(session, [wallet[0] for wallet in wallets], 2)
        assert len(proofs) == 10
        for wallet_id, address, token in wallets:
            assert verify_allotment(proofs[wallet_id], CONTRACT, bytes(token), bytes(address), root)

    def test_a_wallet_outside_of_the_checkpoint_has_no_proof(self, bank: Bank) -> None:
        fund(bank, {"a": 1})
        bank.turn()
        late = bank.world.admit("late")
        with bank.world.begin() as session:
            assert allotment_proof(session, late.id, 2) is None
            assert allotment_proof(session, bank.wallet("a").id, 3) is None

    def test_a_receipt_is_proven_under_its_recipients_leaf(self, bank: Bank) -> None:
        fund(bank, {"a": 100, "b": 100, "r": 0})
        paid = [bank.must_pay("ab"[n % 2], "r", n * 3, n) for n in range(5)]
        with bank.world.begin() as session:
            assert receipt_proofs(session, [one.id for one in paid]) == {}
        bank.turn()
        with bank.world.begin() as session:
            leaf = session.get(ExclusiveBalanceAllotment, (bank.wallet("r").id, 2))
            proofs = receipt_proofs(session, [one.id for one in paid])
        assert leaf is not None
        assert leaf.passive_root is not None
        for index, one in enumerate(paid):
            proof = proofs[one.id]
            assert proof.index == index
            assert proof.values is not None
            receipt = PassiveLeaf(
                transfer_leaf(
                    counterparty=one.sender.address,
                    amount=one.amount,
                    recipient_trail=one.recipient.trail,
                    position=one.position,
                    nonce=one.nonce,
                ),
                one.position,
                one.position + one.amount,
            )
            assert verify_passive_proof(
                receipt,
                proof.index,
                proof.hashes,
                proof.values,
                root=bytes(leaf.passive_root),
                passive_amount=leaf.passive_amount,
            )


class TestMoney:
    """The contract holds 1000 at the end of the eon before, and there was a request of 200."""

    @pytest.mark.parametrize(
        ("status", "funds"),
        [("pending", 800), ("paid", 800), ("slashed", 1000), ("slash_queued", 1000)],
    )
    def test_a_request_counts_until_it_is_slashed_paid_or_not(
        self, ledger: World, status: str, funds: int
    ) -> None:
        bank = Bank(ledger)
        fund(bank, {"a": 1000})
        bank.turn()
        bank.world.request_withdrawal("a", 200)
        self.settle(bank, status)
        bank.turn()
        assert commitment(bank, 3).managed_funds == funds
        assert commitment(bank, 3).upper_bound == funds
        assert intervals(bank, 3)[1] == (0, funds)

    @staticmethod
    def settle(bank: Bank, status: str) -> None:
        if status == "slash_queued":
            bank.queue_slash("a")
            return
        with bank.world.begin() as session:
            session.execute(
                text("UPDATE withdrawal_request SET status = :status"), {"status": status}
            )
            if status == "slashed":
                session.execute(text("UPDATE wallet_eon SET withdrawn = 0"))

    def test_a_strangers_deposit_stays_money_when_the_stranger_registers(self, bank: Bank) -> None:
        fund(bank, {"a": 100})
        bank.world.deposit("late", 7)
        bank.turn()
        assert commitment(bank, 2).upper_bound == 107
        bank.world.admit("late")
        assert bank.balances("late").loosely_available == 7
        bank.turn()
        assert commitment(bank, 3).upper_bound == 107
        assert intervals(bank, 3)[2] == (100, 107)


class TestOverclaim:
    @staticmethod
    def lose(bank: Bank, name: str, amount: int) -> None:
        """Let money be credited that the contract never got."""
        with bank.world.begin() as session:
            session.execute(
                text("UPDATE wallet_eon SET deposited = deposited + :amount WHERE wallet_id = :id"),
                {"amount": amount, "id": bank.wallet(name).id},
            )

    def test_the_operators_own_leaf_pays_if_it_covers_all(self, ledger: World) -> None:
        bank = Bank(ledger)
        fund(bank, {"a": 100, "b": 50})
        bank.world.event(
            "Deposit", block=110, token=ETH, recipient=ledger.rules.operator.address, amount=30
        )
        bank.world.confirm(110)
        self.lose(bank, "a", 10)
        summary = bank.turn()
        assert summary.status == "created"
        assert intervals(bank, 2) == [(0, 20), (20, 130), (130, 180)]
        assert [alarm[0] for alarm in open_alarms(bank)] == ["over-claim charged"]

    def test_otherwise_the_root_is_held_and_names_the_token_and_both_sums(
        self, ledger: World
    ) -> None:
        bank = Bank(ledger)
        fund(bank, {"a": 100, "b": 50})
        ledger.admit("a", LQD)
        ledger.deposit("a", 9, LQD)
        self.lose(bank, "a", 10)
        summary = bank.turn()
        assert summary.status == "held"
        assert [token.overclaim for token in summary.tokens] == [10, 0]
        assert intervals(bank, 2, LQD) == [(0, 0), (0, 9)]
        [(subject, name, message)] = open_alarms(bank)
        assert subject == "over-claim"
        assert "ETH" in name
        assert "160" in message
        assert "150" in message

    def test_a_wallet_below_zero_is_isolated_and_the_others_keep_theirs(
        self, ledger: World
    ) -> None:
        bank = Bank(ledger)
        fund(bank, {"a": 100, "b": 50})
        with bank.world.begin() as session:
            session.execute(
                text("UPDATE wallet_eon SET withdrawn = 110 WHERE wallet_id = :id"),
                {"id": bank.wallet("a").id},
            )
        ledger.deposit("stranger", 5)
        summary = bank.turn()
        assert summary.status == "created"
        assert intervals(bank, 2) == [(0, 0), (0, 0), (0, 50)]
        assert commitment(bank, 2).upper_bound == 155
        [(subject, _, message)] = open_alarms(bank)
        assert subject == "wallet isolated"
        assert "10" in message


class TestStoring:
    def test_a_stored_root_is_never_built_again(self, bank: Bank) -> None:
        fund(bank, {"a": 100})
        first = bank.turn()
        bank.world.deposit("a", 5)
        assert build_checkpoint(bank.world.engine, bank.world.rules, 2) == first

    def test_accounts_of_the_new_eon_receive_their_allotments(self, bank: Bank) -> None:
        fund(bank, {"a": 100, "b": 0})
        bank.world.move_to_eon(2)
        bank.must_pay("a", "b", 60, 1)
        bank.checkpoint(2)
        assert bank.balances("a").allotment == 100
        assert bank.balances("a").available == 40
        assert bank.balances("b").available == 60

    def test_an_announcement_is_one_fact_a_token_and_happens_once(self, bank: Bank) -> None:
        bank.turn()
        with bank.world.begin() as session:
            assert announce_checkpoint(session, 2)
        with bank.world.begin() as session:
            assert not announce_checkpoint(session, 2)
            facts = session.scalars(
                select(Notification).where(Notification.event == "CHECKPOINT_CREATED")
            ).all()
            tokens = session.scalars(select(Token.id).order_by(Token.trail)).all()
            root = session.scalar(select(RootCommitment).where(RootCommitment.eon == 2))
            assert [fact.payload for fact in facts] == [
                {"eon": 2, "token_id": token_id} for token_id in tokens
            ]
            assert all(fact.streams == [] for fact in facts)
            assert root is not None
            assert root.announced_at is not None

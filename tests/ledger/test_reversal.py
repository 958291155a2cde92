"""After a reorganisation below what was confirmed the ledger follows a person's word, or stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from ledger.blocks import Block, ObservedEvent, confirm_blocks, orphan_above, store_blocks
from ledger.chain_events import apply_confirmed_events
from ledger.duty_notices import undelivered
from ledger.reversal import CannotReverse, Decision, Reversed, resynchronise
from ledger.split import ChainSplit, is_healed, open_split, read_split, require_whole
from models import (
    ChainEvent,
    ChainView,
    Deposit,
    OrphanDeposit,
    RootCommitment,
    Slash,
    Withdrawal,
    WithdrawalRequest,
)
from protocol.keccak import keccak256
from tests.ledger.paying import Bank
from tests.ledger.world import CONFIRMATIONS, ETH, GENESIS, World, key

pytestmark = pytest.mark.usefixtures("audited")
ALICE, BOB = key("alice").address, key("bob").address
SPLIT = GENESIS + 20
TIP = GENESIS + 30
Events = Mapping[int, list[ObservedEvent]]


def happening(name: str, block: int, *, tx: str = "", **arguments: Any) -> ObservedEvent:
    """An event of the transaction named `tx` (or for its kind) in a block of some branch."""
    told = {
        member: value.hex() if isinstance(value, bytes) else str(value)
        for member, value in arguments.items()
    }
    transaction = keccak256((tx or name).encode())
    return ObservedEvent(block, b"", 0, transaction, name, told)


def deposit(block: int, amount: int = 1_000, who: bytes = ALICE, tx: str = "") -> ObservedEvent:
    return happening("Deposit", block, tx=tx, token=ETH, recipient=who, amount=amount)


def request(block: int, amount: int) -> ObservedEvent:
    return happening("WithdrawalRequest", block, token=ETH, requestor=ALICE, amount=amount)


@dataclass
class Branches:
    """Blocks of named branches in a ledger's database."""

    ledger: World

    def grow(self, branch: str, first: int, last: int, *events: ObservedEvent) -> None:
        """Store blocks `first` to `last` of a branch with these events."""
        placed = [
            ObservedEvent(
                event.block,
                self.hash(branch, event.block),
                index,
                event.transaction_hash,
                event.name,
                event.arguments,
            )
            for index, event in enumerate(events)
        ]
        blocks = [
            Block(number, self.hash(branch, number), self.hash(branch, number - 1), number)
            for number in range(first, last + 1)
        ]
        with self.ledger.begin() as session:
            store_blocks(session, self.ledger.rules.clock, blocks, placed)

    def confirm(self, up_to: int) -> None:
        """Confirm stored blocks and apply their events."""
        with self.ledger.begin() as session:
            confirm_blocks(session, up_to)
            apply_confirmed_events(session, self.ledger.rules, up_to)

    def split(self, *, at: int = SPLIT, newest: int = TIP - CONFIRMATIONS) -> None:
        """The node's chain parts from branch "a" after block `at`."""
        with self.ledger.begin() as session:
            open_split(session, at, self.hash("a", newest))
            orphan_above(session, at, is_split=True)

    def decide(self, *, at: int = SPLIT, keeps_committed: bool = False) -> Reversed:
        """A person decides for the node's branch."""
        with self.ledger.begin() as session:
            return resynchronise(session, self.ledger.rules, Decision(at, keeps_committed))

    def hash(self, branch: str, number: int) -> bytes:
        shared = "shared" if number <= SPLIT else branch
        return keccak256(f"{shared} {number}".encode())


@pytest.fixture
def branches(ledger: World) -> Branches:
    """Alice and Bob are admitted; branch "a" is confirmed up to the split and stored no further."""
    ledger.admit("alice")
    ledger.admit("bob")
    branches = Branches(ledger)
    branches.grow("shared", GENESIS, SPLIT)
    branches.confirm(SPLIT)
    return branches


def money(ledger: World, name: str = "alice") -> int:
    return Bank(ledger).balances(name).loosely_available


def rows(ledger: World, kind: type[Any]) -> list[Any]:
    with ledger.begin() as session:
        return list(session.scalars(select(kind).order_by(kind.id)))


def live(branches: Branches, *events: ObservedEvent) -> None:
    """Branch "a" with these events, confirmed; then the chain parts from it."""
    branches.grow("a", SPLIT + 1, TIP, *events)
    branches.confirm(TIP - CONFIRMATIONS)


def test_a_deposit_that_the_chain_has_lost_is_taken_back(ledger: World, branches: Branches) -> None:
    live(branches, deposit(SPLIT + 2))
    assert money(ledger) == 1_000
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1)
    assert money(ledger) == 1_000, "only a person takes it back"
    assert branches.decide() == Reversed(moved=0, undone=1)
    assert money(ledger) == 0
    assert rows(ledger, Deposit) == []
    with ledger.begin() as session:
        assert read_split(session) is None


def test_a_deposit_that_only_moved_is_credited_once_and_never_missing(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 2))
    Bank(ledger).must_pay("alice", "bob", 900, 1)
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1, deposit(SPLIT + 5))
    assert branches.decide() == Reversed(moved=1, undone=0)
    assert (money(ledger), money(ledger, "bob")) == (100, 900)
    (credited,) = rows(ledger, Deposit)
    assert credited.block == SPLIT + 5
    assert [event.applied for event in rows(ledger, ChainEvent)] == [False, True]


def test_equal_deposits_of_one_transaction_are_paired_one_by_one(
    ledger: World, branches: Branches
) -> None:
    live(branches, *(deposit(SPLIT + 2) for _ in range(3)))
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1, *(deposit(SPLIT + 4) for _ in range(2)))
    assert branches.decide() == Reversed(moved=2, undone=1)
    assert money(ledger) == 2_000


def test_money_that_was_spent_is_not_taken_back(ledger: World, branches: Branches) -> None:
    live(branches, deposit(SPLIT + 2))
    Bank(ledger).must_pay("alice", "bob", 900, 1)
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1)
    with pytest.raises(CannotReverse, match="more was spent than there was"):
        branches.decide()
    assert money(ledger) == 100
    with ledger.begin() as session:
        assert read_split(session) is not None
    # Whoever covers it deposits for the wallet on the branch that counts.
    branches.grow("b", TIP + 2, TIP + 6, deposit(TIP + 2, 900, tx="covered"))
    assert branches.decide() == Reversed(moved=0, undone=1)
    assert (money(ledger), money(ledger, "bob")) == (0, 900)


def test_a_strangers_deposit_is_forgotten(ledger: World, branches: Branches) -> None:
    live(branches, deposit(SPLIT + 2, who=key("nobody").address))
    assert len(rows(ledger, OrphanDeposit)) == 1
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1)
    branches.decide()
    assert rows(ledger, OrphanDeposit) == []


def test_a_request_that_the_chain_has_lost_gives_its_money_back_and_wakes_the_desk(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 1), request(SPLIT + 2, 300))
    assert money(ledger) == 700
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1, deposit(SPLIT + 1))
    assert branches.decide() == Reversed(moved=1, undone=1)
    assert (money(ledger), rows(ledger, WithdrawalRequest)) == (1_000, [])
    with ledger.begin() as session:
        assert undelivered(session, 10)[-1].key.startswith("undone-")


def test_a_payment_that_the_chain_has_lost_leaves_its_requests_open(
    ledger: World, branches: Branches
) -> None:
    block = ledger.rules.clock.first_block(3) + 100
    branches.grow(
        "shared", SPLIT + 1, SPLIT + 1, deposit(SPLIT + 1, tx="d"), request(SPLIT + 1, 300)
    )
    branches.confirm(SPLIT + 1)
    branches.grow("a", SPLIT + 2, block + 10, paid(block, 300))
    branches.confirm(block + 7)
    assert [row.status for row in rows(ledger, WithdrawalRequest)] == ["paid"]
    ledger.move_to(block + 10)
    branches.split(at=block - 1, newest=block + 7)
    branches.grow("c", block, block + 11)
    assert branches.decide(at=block - 1) == Reversed(moved=0, undone=1)
    assert rows(ledger, Withdrawal) == []
    assert [row.status for row in rows(ledger, WithdrawalRequest)] == ["pending"]


def paid(block: int, amount: int) -> ObservedEvent:
    return happening("WithdrawalConfirmation", block, token=ETH, requestor=ALICE, amount=amount)


def slashed(block: int, amount: int) -> ObservedEvent:
    return happening(
        "WithdrawalSlashed",
        block,
        token=ETH,
        requestor=ALICE,
        eon=1,
        previous_eon_amount=0,
        current_eon_amount=amount,
    )


def test_requests_whose_foreign_slash_the_chain_has_lost_are_judged_anew(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 1), request(SPLIT + 2, 300), slashed(SPLIT + 4, 300))
    branches.split(at=SPLIT)
    branches.grow("b", SPLIT + 1, TIP + 1, deposit(SPLIT + 1), request(SPLIT + 3, 300))
    branches.decide()
    assert money(ledger) == 700
    assert [row.status for row in rows(ledger, WithdrawalRequest)] == ["pending"]


def test_a_slash_that_the_chain_has_lost_is_being_slashed_again(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 1), request(SPLIT + 2, 300), slashed(SPLIT + 4, 300))
    assert money(ledger) == 1_000
    with ledger.begin() as session:
        dropped = session.scalars(select(WithdrawalRequest)).one()
        decision = Slash(wallet_id=dropped.wallet_id, eon=1, number=1, status="done")
        session.add(decision)
        session.flush()
        dropped.slash_id = decision.id
    branches.split(at=SPLIT)
    branches.grow("b", SPLIT + 1, TIP + 1, deposit(SPLIT + 1), request(SPLIT + 3, 300))
    assert branches.decide() == Reversed(moved=2, undone=1)
    assert money(ledger) == 700
    assert [row.status for row in rows(ledger, WithdrawalRequest)] == ["slash_queued"]
    assert [row.status for row in rows(ledger, Slash)] == ["open"]


def test_a_root_that_the_chain_has_lost_is_not_committed_any_more(
    ledger: World, branches: Branches
) -> None:
    summary = Bank(ledger).checkpoint(1)
    submitted = happening("CheckpointSubmission", SPLIT + 2, eon=1, root=summary.merkle_root)
    live(branches, submitted)
    assert [row.status for row in rows(ledger, RootCommitment)] == ["committed"]
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1)
    branches.decide()
    assert [row.status for row in rows(ledger, RootCommitment)] == ["created"]


def test_what_a_closed_eon_has_counted_stays_unless_a_person_answers_for_it(
    ledger: World, branches: Branches
) -> None:
    last = ledger.rules.clock.last_block(1)
    branches.grow("a", SPLIT + 1, last + 10, deposit(SPLIT + 2))
    branches.confirm(last + 7)
    ledger.move_to(last + 10)
    Bank(ledger).checkpoint(2)
    branches.split(newest=last + 7)
    branches.grow("b", SPLIT + 1, last + 11)
    with pytest.raises(CannotReverse, match="in closed eons: Deposit of block"):
        branches.decide()
    result = branches.decide(keeps_committed=True)
    assert (result.moved, result.undone, len(result.kept)) == (0, 0, 1)
    assert money(ledger) == 1_000


def test_a_decision_names_the_block_at_which_the_branches_part(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 2))
    with pytest.raises(CannotReverse, match="has not parted"):
        branches.decide()
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1)
    with pytest.raises(CannotReverse, match=f"after block {SPLIT}, not {SPLIT - 1}"):
        branches.decide(at=SPLIT - 1)
    branches.decide()


def test_a_decision_waits_until_the_new_branch_is_as_deep_as_the_old_one(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 2))
    branches.split()
    branches.grow("b", SPLIT + 1, TIP - 1)
    with pytest.raises(CannotReverse, match="not yet"):
        branches.decide()
    branches.grow("b", TIP, TIP)
    branches.decide()


def test_a_split_ends_by_itself_when_the_old_branch_comes_back(
    ledger: World, branches: Branches
) -> None:
    live(branches, deposit(SPLIT + 2))
    branches.split()
    branches.grow("b", SPLIT + 1, TIP + 1)
    with ledger.begin() as session:
        split = read_split(session)
        assert split is not None and not is_healed(session, split)
        with pytest.raises(ChainSplit):
            require_whole(session)
        orphan_above(session, SPLIT, is_split=True)
    branches.grow("a", SPLIT + 1, TIP, deposit(SPLIT + 2))
    with ledger.begin() as session:
        assert is_healed(session, split)
    assert money(ledger) == 1_000


def test_a_split_lowers_what_counts_as_confirmed_and_a_second_one_deepens_it(
    ledger: World, branches: Branches
) -> None:
    live(branches)
    ledger.move_to(TIP)
    branches.split()
    branches.split(at=SPLIT - 5, newest=SPLIT)
    with ledger.begin() as session:
        view = session.get_one(ChainView, 1)
        assert (view.split_at, view.confirmed_block, view.intake) == (
            SPLIT - 5,
            SPLIT - 5,
            "split",
        )
        assert bytes(view.split_hash or b"") == branches.hash("a", TIP - CONFIRMATIONS)
        session.execute(update(ChainView).values(split_at=None, split_hash=None, intake="open"))

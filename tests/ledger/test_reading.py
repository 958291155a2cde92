"""What those who ask are shown, and that it costs the same for one wallet as for many."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import event

from ledger.checkpoint import build_checkpoint
from ledger.closing import close_eon
from ledger.reading.listing import TransactionFilter, list_transactions
from ledger.reading.status import find_status
from ledger.reading.tokens import list_pairs, list_tokens
from ledger.reading.transactions import find_transaction, transactions_by_id
from ledger.reading.values import Transaction, WalletState
from ledger.reading.wallets import (
    find_registration,
    find_wallet_id,
    wallet_state,
    wallet_states,
)
from ledger.tokens import add_default_pairs
from ledger.transfers import TransferAccepted, TransferRequest, append_transfers
from protocol.encoding import ZERO_HASH
from protocol.markers import minimum_available_balance_digest
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees import plain
from protocol.trees.balance import inner_digest, verify_balance_proof
from tests.ledger.world import CONTRACT, ETH, LQD, World, key, text_of

pytestmark = pytest.mark.usefixtures("audited")


class Payer:
    """A wallet that signs its own states: its leaves in order, and what it spent."""

    def __init__(self, ledger: World, name: str) -> None:
        self.ledger, self.name = ledger, name
        self.trail = ledger.admit(name).trail_identifier
        self.spent = 0
        self.sent: list[tuple[Payer, int, int, int]] = []

    def _root(self) -> bytes:
        leaves = [
            transfer_leaf(
                counterparty=key(recipient.name).address,
                amount=amount,
                recipient_trail=recipient.trail or 0,
                position=LAST_POSITION if index == len(self.sent) - 1 else position,
                nonce=nonce,
            )
            for index, (recipient, amount, nonce, position) in enumerate(self.sent)
        ]
        return plain.root(leaves)

    def pay(self, recipient: "Payer", amount: int, nonce: int) -> TransferAccepted:
        ledger, signer, eon = self.ledger, key(self.name), self.ledger.eon
        self.sent.append((recipient, amount, nonce, 0))
        self.spent += amount
        state = active_state_digest(
            contract=CONTRACT,
            token=ETH,
            wallet=signer.address,
            trail=self.trail or 0,
            eon=eon,
            tx_set_root=self._root(),
            spent=self.spent,
            gained=0,
        )
        marker = minimum_available_balance_digest(
            contract=CONTRACT, token=ETH, wallet=signer.address, eon=eon, amount=0
        )
        request = TransferRequest(
            debit_token=ETH,
            debit_address=signer.address,
            credit_token=ETH,
            credit_address=key(recipient.name).address,
            amount=amount,
            eon=eon,
            nonce=nonce,
            marker_amount=0,
            marker_signature=signer.sign(marker),
            state_signature=signer.sign(state),
        )
        connection = ledger.engine.raw_connection()
        try:
            (verdict,) = append_transfers(connection.driver_connection, ledger.rules, [request])
        finally:
            connection.close()
        assert isinstance(verdict, TransferAccepted)
        self.sent[-1] = (recipient, amount, nonce, verdict.position)
        return verdict


@contextmanager
def statements(ledger: World) -> Iterator[list[str]]:
    """Collect what is sent to the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", note)
    yield seen
    event.remove(ledger.engine, "before_cursor_execute", note)


def state_of(ledger: World, name: str, eon: int) -> WalletState:
    with ledger.begin() as session:
        state = wallet_state(session, ETH, key(name).address, eon)
    assert state is not None
    return state


@pytest.fixture
def payments(ledger: World) -> list[TransferAccepted]:
    """In eon 1 Alice has 100 and pays Bob 30 and 10 and Carol 5."""
    alice, bob, carol = (Payer(ledger, name) for name in ("alice", "bob", "carol"))
    ledger.deposit("alice", 100)
    return [alice.pay(bob, 30, 1), alice.pay(bob, 10, 2), alice.pay(carol, 5, 3)]


@pytest.fixture
def committed(ledger: World, payments: list[TransferAccepted]) -> list[TransferAccepted]:
    """The same payments, under the checkpoint of eon 2."""
    ledger.move_to(286)
    with ledger.begin() as session:
        close_eon(session, ledger.rules, 1)
    build_checkpoint(ledger.engine, ledger.rules, 2)
    return payments


def test_a_state_lists_transactions_in_the_order_of_their_ids(
    ledger: World, payments: list[TransferAccepted]
) -> None:
    state = state_of(ledger, "alice", 1)
    assert [(t.id, t.amount, t.position) for t in state.transactions] == [
        (payments[0].id, 30, 0),
        (payments[1].id, 10, 30),
        (payments[2].id, 5, 0),
    ]
    assert [len(state_of(ledger, name, 1).transactions) for name in ("bob", "carol")] == [2, 1]
    assert [(one.amount, one.eon) for one in state.deposits] == [(100, 1)]
    assert (state.proof, state.withdrawal_requests, state.withdrawals) == (None, (), ())


def test_a_transaction_shows_the_state_that_both_signed(
    ledger: World, payments: list[TransferAccepted]
) -> None:
    with ledger.begin() as session:
        shown = find_transaction(session, payments[1].id)
    assert shown is not None and shown.sender_active_state is not None
    state = shown.sender_active_state
    assert (state.spent, state.gained, state.tx_set_index) == (40, 0, 1)
    assert state.operator_signature is not None
    assert (shown.wallet.address_text, shown.wallet.token_text, shown.wallet.trail) == (
        text_of(key("alice").address),
        text_of(ETH),
        1,
    )
    assert (shown.passive, shown.swap, shown.complete, shown.delivery_proof) == (
        True,
        False,
        True,
        None,
    )


def test_a_later_reader_asks_only_for_what_is_new(
    ledger: World, payments: list[TransferAccepted]
) -> None:
    with ledger.begin() as session:
        state = wallet_state(session, ETH, key("alice").address, 1, from_transfer_id=payments[1].id)
    assert state is not None
    assert [one.amount for one in state.transactions] == [10, 5]


def test_a_future_eon_is_empty_and_a_stranger_unknown(
    ledger: World, payments: list[TransferAccepted]
) -> None:
    state = state_of(ledger, "alice", 9)
    assert (state.proof, state.transactions, state.deposits) == (None, (), ())
    assert state.registration.eon == 1
    with ledger.begin() as session:
        assert wallet_state(session, ETH, key("stranger").address, 1) is None
        assert find_registration(session, ETH, key("stranger").address) is None


def test_the_shown_leaf_leads_to_the_checkpoint(
    ledger: World, committed: list[TransferAccepted]
) -> None:
    proof = state_of(ledger, "alice", 2).proof
    assert proof is not None and proof.active_state is not None
    leaf = proof.allotment
    assert leaf.right - leaf.left == 55
    assert (leaf.trail, leaf.passive_marker, proof.active_state.spent) == (1, 0, 45)
    inner = inner_digest(
        contract=CONTRACT,
        token=ETH,
        wallet=key("alice").address,
        active_digest=leaf.active_state_digest or ZERO_HASH,
        passive_root=leaf.passive_root or ZERO_HASH,
        passive_amount=leaf.passive_amount,
        passive_marker=leaf.passive_marker,
    )
    assert verify_balance_proof(
        inner,
        leaf.left,
        leaf.right,
        leaf.trail,
        leaf.hashes,
        leaf.values,
        root=leaf.balance_root,
        upper_bound=leaf.upper_bound,
    )


def test_a_committed_payment_is_proven_and_its_sender_gets_the_recipients_leaf(
    ledger: World, committed: list[TransferAccepted]
) -> None:
    def receipt(name: str) -> Transaction:
        return state_of(ledger, name, 1).transactions[1]

    sent, received = receipt("alice").delivery_proof, receipt("bob").delivery_proof
    assert sent is not None and received is not None
    assert (sent.trail, len(sent.chain), sent.values) == (1, 1, received.values)
    assert sent.wallet_proof is not None and sent.wallet_proof.allotment.passive_amount == 40
    assert received.wallet_proof is None
    with ledger.begin() as session:
        alone = find_transaction(session, committed[1].id)
    assert alone is not None and alone.delivery_proof == sent


def test_many_wallets_cost_no_more_queries_than_one(
    ledger: World, committed: list[TransferAccepted]
) -> None:
    with ledger.begin() as session:
        alice = find_wallet_id(session, ETH, key("alice").address)
        assert alice is not None
        with statements(ledger) as for_one:
            (one,) = wallet_states(session, [alice], 1).values()
        with statements(ledger) as for_all:
            states = wallet_states(session, range(1, 10), 1)
    assert len(states) == 5 and len(one.transactions) == 3
    assert one == states[alice]
    assert len(for_all) == len(for_one)


def test_transactions_are_read_by_id_as_they_stand(
    ledger: World, payments: list[TransferAccepted]
) -> None:
    ids = [payment.id for payment in payments]
    with ledger.begin() as session:
        shown = transactions_by_id(session, [*ids, 10**9])
    assert {one: t.amount for one, t in shown.items()} == dict(zip(ids, (30, 10, 5), strict=True))


class TestListing:
    def listed(
        self, ledger: World, wanted: TransactionFilter, limit: int = 10, offset: int = 0
    ) -> tuple[int, list[int]]:
        with ledger.begin() as session:
            page = list_transactions(session, wanted, limit=limit, offset=offset)
        return page.count, [one.amount for one in page.results]

    def test_pages_neither_overlap_nor_miss(
        self, ledger: World, payments: list[TransferAccepted]
    ) -> None:
        pages = [self.listed(ledger, TransactionFilter(), 2, offset) for offset in (0, 2, 4)]
        assert pages == [(3, [30, 10]), (3, [5]), (3, [])]

    def test_filters_are_joined(self, ledger: World, payments: list[TransferAccepted]) -> None:
        assert self.listed(ledger, TransactionFilter(eon=1, nonce=2)) == (1, [10])
        assert self.listed(ledger, TransactionFilter(eon=2)) == (0, [])
        assert self.listed(ledger, TransactionFilter(swap=True)) == (0, [])
        assert self.listed(ledger, TransactionFilter(tx_id=payments[2].tx_id)) == (1, [5])
        assert self.listed(ledger, TransactionFilter(tx_id=uuid4())) == (0, [])

    def test_a_search_finds_whole_and_partial_addresses_in_any_case(
        self, ledger: World, payments: list[TransferAccepted]
    ) -> None:
        carol = text_of(key("carol").address)
        for term in (carol, carol.lower(), carol[3:20].upper()):
            assert self.listed(ledger, TransactionFilter(search=(term,))) == (1, [5])
        assert self.listed(ledger, TransactionFilter(search=(text_of(ETH),)))[0] == 3
        assert self.listed(ledger, TransactionFilter(search=(text_of(LQD),)))[0] == 0
        both = TransactionFilter(search=(carol, text_of(key("bob").address)))
        assert self.listed(ledger, both) == (0, [])
        assert self.listed(ledger, TransactionFilter(search=("%",))) == (0, [])

    def test_an_order_is_kept_and_unknown_names_are_ignored(
        self, ledger: World, payments: list[TransferAccepted]
    ) -> None:
        assert self.listed(ledger, TransactionFilter(ordering=("-time", "-id"))) == (
            3,
            [5, 10, 30],
        )
        assert self.listed(ledger, TransactionFilter(ordering=("undefined", "amount"))) == (
            3,
            [5, 10, 30],
        )


def test_tokens_come_by_trail_and_pending_ones_not_at_all(ledger: World) -> None:
    with ledger.begin() as session:
        add_default_pairs(session, ledger.rules)
        add_default_pairs(session, ledger.rules)
        tokens, pairs = list_tokens(session), list_pairs(session)
    assert [(one.short_name, one.trail) for one in tokens] == [("ETH", 0), ("LQD", 1)]
    assert [(one.sold_text, one.bought_text) for one in pairs] == [
        (text_of(ETH), text_of(LQD)),
        (text_of(LQD), text_of(ETH)),
    ]
    assert pairs[0].conduit.hex() == "3e323616eb611ee4b3006a7643e0baf6aea1c182"


def test_the_status_tells_what_the_ledger_has_seen(ledger: World) -> None:
    ledger.move_to(820)
    with ledger.begin() as session:
        status = find_status(session, ledger.rules)
    assert status is not None
    assert (status.latest_block, status.latest_eon) == (820, 5)
    assert (status.confirmed_block, status.confirmed_eon) == (817, 4)
    assert (status.blocks_per_eon, status.confirmations, status.open_alarms) == (180, 3, 0)

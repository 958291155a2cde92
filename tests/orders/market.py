"""Traders of the tests: their own view of their sets and totals, hashed from scratch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import select

from ledger.checkpoint.announcing import announce_checkpoint
from ledger.identities import IdentityCache
from ledger.matching.matcher import Matcher, MatchingPolicy, Round
from ledger.orders.ending import cancel_order, finalise_order, freeze_order
from ledger.orders.placement import PlacedOrder, place_order
from ledger.orders.requests import OrderRequest
from ledger.refusals import Refusal
from ledger.tokens import add_default_pairs
from ledger.transfers import TransferAccepted, TransferRequest
from models import ActiveState, Notification, Transfer
from protocol.address import Address
from protocol.editions import ContractEdition
from protocol.encoding import ZERO_HASH
from protocol.markers import minimum_available_balance_digest
from protocol.orders import CLOSED_START, OrderTerms
from protocol.states import active_state_digest
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees import plain
from tests.ledger.paying import Bank
from tests.ledger.world import ETH, LQD, key

MINT = "mint"
"""Pays traders where deposits cannot be sold in their eon."""


@dataclass
class Own:
    """A wallet of one eon as its owner knows it: leaves of ended entries, totals."""

    leaves: list[bytes] = field(default_factory=list)
    spent: int = 0
    gained: int = 0


@dataclass
class Trade:
    """An order as its trader remembers it."""

    name: str
    sold: Address
    bought: Address
    terms: OrderTerms
    first_eon: int
    eons: int
    placed: PlacedOrder


@dataclass
class Market:
    """Named traders, each with a wallet in ETH and one in LQD."""

    bank: Bank
    own: dict[tuple[str, Address, int], Own] = field(default_factory=lambda: defaultdict(Own))
    orders: dict[int, Trade] = field(default_factory=dict)
    nonces: Any = field(default_factory=lambda: count(1))
    identities: IdentityCache = field(default_factory=IdentityCache)
    matcher: Matcher = field(init=False)

    def __post_init__(self) -> None:
        self.world = self.bank.world
        self.matcher = self.new_matcher()

    def new_matcher(self, **policy: Any) -> Matcher:
        return Matcher(
            self.world.sessions,
            self.world.rules,
            MatchingPolicy(**{"delay_s": 0.0, "batch": 8} | policy),
        )

    def open(self) -> None:
        """Whitelist both directions and make the checkpoint of the first eon."""
        with self.world.begin() as session:
            add_default_pairs(session, self.world.rules)
        if self.world.rules.edition is ContractEdition.PUBLISHED:
            self.world.admit(MINT, ETH)
            self.world.admit(MINT, LQD)
        self.bank.checkpoint(self.world.eon)
        self.announce()

    def announce(self) -> None:
        eon = self.world.eon
        with self.world.begin() as session:
            announce_checkpoint(session, eon)

    def trader(self, name: str, *, eth: int = 0, lqd: int = 0) -> None:
        """Admit a trader to both tokens with money in them."""
        for token, amount in ((ETH, eth), (LQD, lqd)):
            self.world.admit(name, token)
            if amount:
                self._fund(name, amount, token)

    def _fund(self, name: str, amount: int, token: Address) -> None:
        """Deposit; on the published contract, which sees no deposits in answers, be paid."""
        if self.world.rules.edition is ContractEdition.HARDENED:
            self.world.deposit(name, amount, token)
            return
        self.world.deposit(MINT, amount, token)
        self.bank.must_pay(MINT, name, amount, next(self.nonces), token=token)

    def request(
        self,
        name: str,
        amount: int,
        wanted: int,
        *,
        sold: Address = ETH,
        eons: int = 1,
        sells: bool = True,
        nonce: int | None = None,
        spoil: tuple[str, int] | None = None,
        **changed: Any,
    ) -> OrderRequest:
        """Sign an order; `spoil` names a list and the eon of its bad signature."""
        bought = LQD if sold == ETH else ETH
        terms = self.terms(name, sold, bought, amount, wanted, nonce)
        eon = self.world.eon
        lists: dict[str, list[bytes]] = defaultdict(list)
        for later in range(eons):
            debit, credit = self.own[name, sold, eon], self.own[name, bought, eon]
            starts = self.start(name, sold), self.start(name, bought)
            if later:
                debit, credit, starts = Own(), Own(), (amount, 0)
            signed = {
                "debit_signatures": (sold, debit, starts[0], debit.spent + amount, debit.gained),
                "credit_signatures": (bought, credit, starts[1], credit.spent, credit.gained),
                "fulfilment_signatures": (
                    bought,
                    credit,
                    CLOSED_START,
                    credit.spent,
                    credit.gained + wanted,
                ),
            }
            for part, (token, own, start, spent, gained) in signed.items():
                root = plain.root([*own.leaves, terms.leaf(start)])
                bad = spoil == (part, later)
                lists[part].append(
                    self.sign_state(name, token, eon + later, root, spent + bad, gained)
                )
            for part, token in (
                ("debit_marker_signatures", sold),
                ("credit_marker_signatures", bought),
            ):
                bad = spoil == (part, later)
                lists[part].append(self.sign_marker(name, token, eon + later, int(bad)))
        members: dict[str, Any] = {part: tuple(signatures) for part, signatures in lists.items()}
        address = key(name).address
        members |= {
            "debit_token": sold,
            "debit_address": address,
            "credit_token": bought,
            "credit_address": address,
            "amount": amount,
            "amount_swapped": wanted,
            "eon": eon,
            "nonce": terms.nonce,
            "sells": sells,
        }
        return OrderRequest(**members | changed)

    def terms(
        self, name: str, sold: Address, bought: Address, amount: int, wanted: int, nonce: int | None
    ) -> OrderTerms:
        trail = self.bank.wallet(name, bought).trail_identifier or 0
        number = next(self.nonces) if nonce is None else nonce
        return OrderTerms(sold, bought, trail, amount, wanted, number)

    def start(self, name: str, token: Address) -> int:
        """What the wallet's current eon began with, according to its checkpoint."""
        return self.bank.balances(name, token).allotment or 0

    def sign_state(
        self, name: str, token: Address, eon: int, root: bytes, spent: int, gained: int
    ) -> bytes:
        wallet = self.bank.wallet(name, token)
        return key(name).sign(
            active_state_digest(
                contract=self.world.rules.contract,
                token=token,
                wallet=bytes(wallet.address),
                trail=wallet.trail_identifier or 0,
                eon=eon,
                tx_set_root=root,
                spent=spent,
                gained=gained,
            )
        )

    def sign_marker(self, name: str, token: Address, eon: int, amount: int) -> bytes:
        digest = minimum_available_balance_digest(
            contract=self.world.rules.contract,
            token=token,
            wallet=key(name).address,
            eon=eon,
            amount=amount,
        )
        return key(name).sign(digest)

    def submit(self, request: OrderRequest) -> PlacedOrder:
        with self.world.begin() as session:
            return place_order(session, self.world.rules, self.identities, request)

    def place(self, name: str, amount: int, wanted: int, **how: Any) -> int:
        """Place an order; it must be accepted. Return the id of its first copy."""
        request = self.request(name, amount, wanted, **how)
        placed = self.submit(request)
        trail = self.bank.wallet(name, request.credit_token).trail_identifier or 0
        terms = OrderTerms(
            request.debit_token, request.credit_token, trail, amount, wanted, request.nonce
        )
        self.orders[placed.transfer_id] = Trade(
            name,
            request.debit_token,
            request.credit_token,
            terms,
            request.eon,
            len(request.debit_signatures),
            placed,
        )
        return placed.transfer_id

    def refusal(self, name: str, amount: int, wanted: int, **how: Any) -> str:
        """Place an order; it must be refused. Return the code."""
        request = self.request(name, amount, wanted, **how)
        try:
            self.submit(request)
        except Refusal as refusal:
            return refusal.code
        raise AssertionError("the order was accepted")

    def match(self) -> Round:
        return self.matcher.run_until_idle()

    def turn(self) -> None:
        """Go on to the next eon, its checkpoint and its confirmed orders."""
        self.bank.turn()
        self.announce()
        self.match()

    def rows(self, order: int) -> list[Transfer]:
        """An order's copies by eon."""
        tx_id = self.orders[order].placed.tx_id
        with self.world.begin() as session:
            query = select(Transfer).where(Transfer.tx_id == tx_id).order_by(Transfer.eon)
            rows = list(session.scalars(query))
            session.expunge_all()
        return rows

    def row(self, order: int, eon: int | None = None) -> Transfer:
        """An order's copy of an eon, the current one by default."""
        eon = self.world.eon if eon is None else eon
        return next(row for row in self.rows(order) if row.eon == eon)

    def state(self, state_id: int | None) -> ActiveState:
        with self.world.begin() as session:
            state = session.get(ActiveState, state_id)
            assert state is not None
            session.expunge(state)
        return state

    def matched(self, order: int) -> tuple[int, int]:
        row = self.row(order)
        return row.matched_out, row.matched_in

    def freeze(self, order: int, *, signer: str | None = None) -> dict[str, Any]:
        trade = self.orders[order]
        signature = key(signer or trade.name).sign(trade.terms.freeze_digest())
        with self.world.begin() as session:
            answer = freeze_order(session, self.world.rules, order, signature)
        assert answer is not None
        return answer

    def closing_signatures(self, order: int) -> tuple[list[bytes], list[bytes]]:
        """Sign the debit and the credit wallet's last states, from the numbers on the wire."""
        trade, eon = self.orders[order], self.world.eon
        remaining = [row for row in self.rows(order) if row.eon >= eon]
        sold, bought = self._matched_now(order)
        debit, credit = self._before(order, trade.sold), self._before(order, trade.bought)
        a, b = trade.terms.amount, trade.terms.amount_swapped
        s, g = debit.spent + a, debit.gained + a - sold
        sc, gc = credit.spent + b, credit.gained + bought + b
        x, y = max(s, g) + 1, max(credit.spent, credit.gained + bought) + b + 1
        debit_root = plain.root(
            [*debit.leaves, trade.terms.leaf(self.start(trade.name, trade.sold))]
        )
        credit_root = plain.root([*credit.leaves, trade.terms.leaf(CLOSED_START)])
        signed = []
        for token, root, spent, gained, later in (
            (trade.sold, debit_root, s, g, x),
            (trade.bought, credit_root, sc, gc, y),
        ):
            now = self.sign_state(trade.name, token, eon, root, spent, gained)
            future = [
                self.sign_state(trade.name, token, row.eon, ZERO_HASH, later, later)
                for row in remaining[1:]
            ]
            signed.append([now, *future])
        return signed[0], signed[1]

    def cancel(self, order: int) -> dict[str, Any]:
        """Cancel a frozen order and remember what its wallets end with."""
        debit_signatures, credit_signatures = self.closing_signatures(order)
        with self.world.begin() as session:
            answer = cancel_order(
                session, self.world.rules, order, debit_signatures, credit_signatures
            )
        assert answer is not None
        self._remember(order, answer["sender_cancellation_active_state"], credit_of(answer))
        return answer

    def finalise(self, order: int) -> dict[str, Any]:
        """Finalise a fulfilled order and remember what its wallets end with."""
        trade = self.orders[order]
        sold, _ = self._matched_now(order)
        total, _ = self.matched(order)
        _, signatures = self.closing_signatures(order)
        with self.world.begin() as session:
            answer = finalise_order(session, self.world.rules, order, signatures)
        assert answer is not None
        debit = self._before(order, trade.sold)
        spent = debit.spent + trade.terms.amount
        pair = {"updated_spendings": spent, "updated_gains": debit.gained + total - sold}
        self._remember(order, pair, credit_of(answer))
        return answer

    def code(self, action: Any, *arguments: Any, **how: Any) -> str:
        """Do what must be refused; return the code."""
        try:
            action(*arguments, **how)
        except Refusal as refusal:
            return refusal.code
        raise AssertionError("it was accepted")

    def pay(self, sender: str, recipient: str, amount: int, *, token: Address) -> TransferAccepted:
        """Pay on top of whatever the sender's set holds, orders among it."""
        eon, payer = self.world.eon, key(sender)
        own, to = self.own[sender, token, eon], self.bank.wallet(recipient, token)
        nonce = next(self.nonces) + 10**9

        def leaf(position: int) -> bytes:
            return transfer_leaf(
                counterparty=bytes(to.address),
                amount=amount,
                recipient_trail=to.trail_identifier or 0,
                position=position,
                nonce=nonce,
            )

        root = plain.root([*own.leaves, leaf(LAST_POSITION)])
        request = TransferRequest(
            debit_token=token,
            debit_address=payer.address,
            credit_token=token,
            credit_address=bytes(to.address),
            amount=amount,
            eon=eon,
            nonce=nonce,
            marker_amount=0,
            marker_signature=self.sign_marker(sender, token, eon, 0),
            state_signature=self.sign_state(
                sender, token, eon, root, own.spent + amount, own.gained
            ),
        )
        [verdict] = self.bank.append(request)
        if not isinstance(verdict, TransferAccepted):
            raise verdict
        own.leaves.append(leaf(verdict.position))
        own.spent += amount
        return verdict

    def has(self, name: str, token: Address) -> int:
        """What a wallet may call its own now."""
        return self.bank.balances(name, token).loosely_available

    def told(self, event: str) -> list[Notification]:
        with self.world.begin() as session:
            query = select(Notification).where(Notification.event == event)
            rows = list(session.scalars(query.order_by(Notification.id)))
            session.expunge_all()
        return rows

    def _matched_now(self, order: int) -> tuple[int, int]:
        """What was matched in this eon: the totals less those of the eon before."""
        now = self.row(order)
        earlier = [row for row in self.rows(order) if row.eon == now.eon - 1]
        sold, bought = (earlier[0].matched_out, earlier[0].matched_in) if earlier else (0, 0)
        return now.matched_out - sold, now.matched_in - bought

    def _before(self, order: int, token: Address) -> Own:
        trade, eon = self.orders[order], self.world.eon
        return self.own[trade.name, token, eon] if trade.first_eon == eon else Own()

    def _remember(self, order: int, debit: dict[str, Any], credit: dict[str, Any]) -> None:
        trade, eon = self.orders[order], self.world.eon
        debit_leaf = trade.terms.leaf(self.start(trade.name, trade.sold))
        for token, leaf, state in (
            (trade.sold, debit_leaf, debit),
            (trade.bought, trade.terms.leaf(CLOSED_START), credit),
        ):
            own = self.own[trade.name, token, eon]
            own.leaves.append(leaf)
            own.spent, own.gained = int(state["updated_spendings"]), int(state["updated_gains"])


def credit_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The credit wallet's last state in an answer."""
    names = ("recipient_cancellation_active_state", "recipient_finalization_active_state")
    state: dict[str, Any] = next(answer[name] for name in names if name in answer)
    return state

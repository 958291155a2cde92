"""Orders in the replay: placing, carrying over, matching, freezing, cancelling, finalising."""

from protocol import matching
from protocol.orders import (
    OrderState,
    OrderTerms,
    Side,
    Totals,
    credit_closing_states,
    debit_cancellation_states,
    placement_states,
)
from protocol.vectors.comparison import Computed
from protocol.vectors.inputs import Inputs, InvalidVector
from protocol.vectors.scenario.answers import (
    accepted_order,
    matched_amounts,
    state,
    transaction_id,
)
from protocol.vectors.scenario.network import Network
from protocol.vectors.scenario.records import Row, SignedState, Wallet
from protocol.vectors.scenario.requests import (
    marker_digest,
    parties,
    require_signed,
    signature_of,
)


class Trading:
    """Keeps the book of one network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._arrived: list[list[Row]] = []
        self._resting: list[list[Row]] = []

    def place(self, body: Inputs) -> Computed:
        """An order: one row an eon, countersigned for the current one."""
        network = self._network
        sender, recipient = parties(network, body)
        terms = OrderTerms(
            sell_token=sender.token.address,
            buy_token=recipient.token.address,
            recipient_trail=recipient.trail,
            amount=body.amount("amount"),
            amount_swapped=body.amount("amount_swapped"),
            nonce=body.amount("nonce"),
        )
        given = {
            field: body.records(field)
            for field in ("debit_signature", "credit_signature", "credit_fulfillment_signature")
        }
        eon, eons = body.integer("eon_number"), len(given["debit_signature"])
        group = self._copies(terms, sender, recipient, eon, eons, sells=body.flag("sell_order"))
        debit, credit = self._side(sender, eon), self._side(recipient, eon)
        states = placement_states(terms, eon=eon, eons=eons, debit=debit, credit=credit)
        for name, derived, side, field in (
            ("sender", states.debit, debit, "debit_signature"),
            ("recipient", states.credit, credit, "credit_signature"),
            ("recipient_fulfillment", states.fulfilment, credit, "credit_fulfillment_signature"),
        ):
            self._sign(group, f"{name}_active_state", derived, given[field], side, field)
        for field, wallet in (
            ("debit_balance_signature", sender),
            ("credit_balance_signature", recipient),
        ):
            for row, signature in zip(group, body.records(field), strict=True):
                digest = marker_digest(network, wallet, row.eon, 0)
                require_signed(digest, signature_of(signature), wallet, field)
        group[0].placed_on = debit, credit
        network.rows.extend(group)
        network.transactions += 1
        self._countersign(group[0])
        self._arrived.append(group)
        return accepted_order(group[0])

    def confirm(self, eon: int) -> None:
        """Countersign the copies that carry open orders into the eon."""
        for row in self._network.rows:
            waits = not (row.processed or row.voided or row.frozen or row.appended)
            if row.eon == eon and row.terms is not None and waits:
                self._countersign(row)

    def match(self, eon: int) -> list[Computed]:
        """Let each newly arrived order take from the book; list all orders of the eon."""
        for group in self._arrived:
            taker = _row_of(group, eon)
            if taker is not None and taker.is_open:
                self._take(taker, eon)
            self._resting.append(group)
        self._arrived.clear()
        return [
            {
                "id": row.number,
                "complete": row.complete,
                "matched_out_in": [str(row.total_out()), str(row.total_in())],
            }
            for row in self._network.rows
            if row.terms is not None and row.eon == eon
        ]

    def freeze(self, number: int, body: Inputs) -> Computed:
        """Stop an order's matching."""
        row = self._current(number)
        signature = signature_of(body.record("freezing_signature"))
        digest = _terms(row).freeze_digest()
        require_signed(digest, signature, row.sender, "freezing_signature")
        for copy in self._remaining(row):
            copy.frozen, copy.freezing_signature = True, signature
        return {
            "id": row.number,
            "tx_id": transaction_id(row),
            "matched_amounts": matched_amounts(row),
        }

    def cancel(self, number: int, body: Inputs) -> Computed:
        """Close a frozen order on the amounts matched so far."""
        row = self._current(number)
        copies, (debit, credit) = self._remaining(row), self._sides_now(row)
        eons = [copy.eon for copy in copies]
        closings = {
            "sender_cancellation": debit_cancellation_states(
                _terms(row), eons=eons, debit=debit, matched_out=row.matched_out
            ),
            "recipient_cancellation": credit_closing_states(
                _terms(row),
                eons=eons,
                totals=credit.totals,
                set_before=credit.set_before,
                matched_in=row.matched_in,
            ),
        }
        return self._close(row, copies, closings, {"sender": debit, "recipient": credit}, body)

    def finalise(self, number: int, body: Inputs) -> Computed:
        """Free the wallets of a fulfilled order."""
        row = self._current(number)
        copies, (_, credit) = self._remaining(row), self._sides_now(row)
        closings = {
            "recipient_finalization": credit_closing_states(
                _terms(row),
                eons=[copy.eon for copy in copies],
                totals=credit.totals,
                set_before=credit.set_before,
                matched_in=row.matched_in,
            )
        }
        return self._close(row, copies, closings, {"recipient": credit}, body)

    def book(self, sold: str, bought: str) -> list[Computed]:
        """List the open orders that sell one token for another, dearest first, prices merged."""
        rows = [
            row
            for row in self._network.rows
            if row.eon == self._network.eon
            and row.sender.token.text == sold
            and row.recipient.token.text == bought
            and row.terms is not None
            and not (row.processed or row.complete or row.voided or row.frozen)
        ]
        rows.sort(key=lambda row: matching.priority(row.order(_terms(row)), -row.number))
        merged: list[list[Row]] = []
        for row in reversed(rows):
            if merged and _price(merged[-1][0]) == _price(row):
                merged[-1].append(row)
            else:
                merged.append([row])
        return [_book_entry(rows) for rows in merged]

    def _take(self, taker: Row, eon: int) -> None:
        book = [
            (sequence, row)
            for sequence, group in enumerate(self._resting)
            if (row := _row_of(group, eon)) is not None
            and row.is_open
            and row.sender.token is taker.recipient.token
            and row.recipient.token is taker.sender.token
        ]
        book.sort(key=lambda entry: matching.priority(entry[1].order(_terms(entry[1])), entry[0]))
        orders = [row.order(_terms(row)) for _, row in book]
        _, fills = matching.match(taker.order(_terms(taker)), orders)
        for fill in fills:
            resting = book[fill.place][1]
            taker.matched_out += fill.trade.paid
            taker.matched_in += fill.trade.received
            resting.matched_out += fill.trade.received
            resting.matched_in += fill.trade.paid
            self._fulfil(resting)
        self._fulfil(taker)

    def _fulfil(self, row: Row) -> None:
        if row.complete or not row.order(_terms(row)).is_fulfilled:
            return
        row.complete = True
        self._network.countersign(row.states["recipient_fulfillment_active_state"])
        self._void_later(row)

    def _copies(
        self,
        terms: OrderTerms,
        sender: Wallet,
        recipient: Wallet,
        eon: int,
        eons: int,
        *,
        sells: bool,
    ) -> list[Row]:
        group: list[Row] = []
        for later in range(eons):
            row = Row(
                number=len(self._network.rows) + 1 + later,
                transaction=self._network.transactions,
                eon=eon + later,
                sender=sender,
                recipient=recipient,
                amount=terms.amount,
                nonce=terms.nonce,
                terms=terms,
                sells=sells,
                group=group,
            )
            group.append(row)
        return group

    def _side(self, wallet: Wallet, eon: int) -> Side:
        network = self._network
        return Side(
            network.totals(wallet, eon),
            network.frontier_before(wallet, eon),
            network.starting_balance(wallet, eon),
        )

    def _void_later(self, row: Row) -> None:
        for copy in row.group:
            if copy.eon > row.eon:
                copy.voided = copy.processed = True

    def _sides_now(self, row: Row) -> tuple[Side, Side]:
        """Note the totals of the order's own states, the sets before it, the allotments."""
        sides = []
        for wallet, name in ((row.sender, "sender"), (row.recipient, "recipient")):
            own = row.states[f"{name}_active_state"]
            sides.append(
                Side(
                    Totals(own.spent, own.gained),
                    self._network.frontier_before(wallet, row.eon, row),
                    self._network.starting_balance(wallet, row.eon),
                )
            )
        row.closed_on = sides[0], sides[1]
        return row.closed_on

    def _close(
        self,
        row: Row,
        copies: list[Row],
        closings: dict[str, list[OrderState]],
        sides: dict[str, Side],
        body: Inputs,
    ) -> Computed:
        answer: dict[str, Computed] = {"id": row.number, "tx_id": transaction_id(row)}
        for name, states in closings.items():
            field = "finalization" if name == "recipient_finalization" else name
            signatures = body.records(f"{field}_signature")
            side = sides[name.split("_")[0]]
            self._sign(
                copies, f"{name}_active_state", states, signatures, side, f"{field}_signature"
            )
        for name in closings:
            self._network.countersign(row.states[f"{name}_active_state"])
            answer[f"{name}_active_state"] = state(row.states[f"{name}_active_state"])
        row.processed = True
        self._void_later(row)
        return answer

    def _sign(
        self,
        rows: list[Row],
        name: str,
        states: list[OrderState],
        signatures: list[Inputs],
        side: Side,
        field: str,
    ) -> None:
        """Store one signed state a row; those of later eons stand alone in their sets."""
        if len(signatures) != len(rows):
            raise InvalidVector(f"inputs.body.{field}: one signature per eon is wanted")
        for later, (row, derived, given) in enumerate(zip(rows, states, signatures, strict=True)):
            wallet: Wallet = row.sender if name.startswith("sender") else row.recipient
            signed = SignedState(
                wallet=wallet,
                eon=derived.eon,
                root=derived.tx_set_root,
                spent=derived.spent,
                gained=derived.gained,
                index=0 if later else side.set_before.count,
                path=[] if later else side.set_before.path_with(),
                wallet_signature=signature_of(given),
            )
            digest = signed.digest(self._network.contract)
            require_signed(digest, signed.wallet_signature, wallet, field)
            row.states[name] = signed
            self._network.unrecorded_states.append(signed)

    def _countersign(self, row: Row) -> None:
        row.appended = True
        for name in ("sender_active_state", "recipient_active_state"):
            self._network.countersign(row.states[name])

    def _current(self, number: int) -> Row:
        rows = self._network.rows
        if not 0 < number <= len(rows) or rows[number - 1].terms is None:
            raise InvalidVector("inputs.path: no such order")
        row = _row_of(rows[number - 1].group, self._network.eon)
        if row is None:
            raise InvalidVector("inputs.path: the order has no copy in this eon")
        return row

    def _remaining(self, row: Row) -> list[Row]:
        return [copy for copy in row.group if copy.eon >= row.eon]


def _row_of(group: list[Row], eon: int) -> Row | None:
    return next((row for row in group if row.eon == eon), None)


def _terms(row: Row) -> OrderTerms:
    if row.terms is None:
        raise InvalidVector("inputs.path: not an order")
    return row.terms


def _price(row: Row) -> object:
    return matching.priority(row.order(_terms(row)), 0)


def _book_entry(rows: list[Row]) -> Computed:
    terms = [_terms(row) for row in rows]
    out, wish = 0, 0
    for row, wanted in zip(rows, terms, strict=True):
        if row.sells:
            left = row.amount - row.total_out()
            out, wish = out + left, wish + left * wanted.amount_swapped // wanted.amount
        else:
            left = wanted.amount_swapped - row.total_in()
            out, wish = out + left * wanted.amount // wanted.amount_swapped, wish + left
    return {
        "amount": str(sum(wanted.amount for wanted in terms)),
        "amount_swapped": str(sum(wanted.amount_swapped for wanted in terms)),
        "remaining_out": str(out),
        "remaining_in": str(wish),
    }

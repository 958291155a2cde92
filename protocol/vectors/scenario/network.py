"""The replay's books: who owns what, computed from what happened."""

from protocol.accumulator import ACCUMULATOR_SLOTS, Operation, accumulate, accumulator_slot
from protocol.address import Address
from protocol.encoding import ZERO_HASH
from protocol.orders import Totals, credit_start, debit_start
from protocol.signing import Signer
from protocol.transfers import LAST_POSITION, transfer_leaf
from protocol.trees.transaction_set import EMPTY, Frontier
from protocol.vectors.scenario.records import Row, SignedState, Token, Wallet


class Network:
    """One commit-chain in memory."""

    def __init__(self, contract: Address, operator: Signer, terms: bytes) -> None:
        self.contract = contract
        self.operator = operator
        self.terms = terms
        self.eon = 1
        self.tokens: list[Token] = []
        self.wallets: list[Wallet] = []
        self.rows: list[Row] = []
        self.transactions = 0
        self.events: list[tuple[Operation, int, Wallet, int]] = []
        self.gifts: list[tuple[int, int]] = []
        self.accumulators = [ZERO_HASH] * ACCUMULATOR_SLOTS
        self.widths: dict[tuple[Wallet, int], int] = {}
        self.unrecorded_states: list[SignedState] = []

    def token(self, text: str) -> Token | None:
        """Find a token in any letter case."""
        digits = text.removeprefix("0x").lower()
        return next((token for token in self.tokens if token.text.lower() == digits), None)

    def wallet(self, token: Token, text: str) -> Wallet | None:
        """Find a wallet in any letter case."""
        digits = text.removeprefix("0x").lower()
        return next(
            (w for w in self.wallets if w.token is token and w.text.lower() == digits), None
        )

    def note_event(self, operation: Operation, eon: int, wallet: Wallet, amount: int) -> None:
        """Book a deposit or withdrawal request and extend the accumulator."""
        self.events.append((operation, eon, wallet, amount))
        slot = accumulator_slot(eon)
        self.accumulators[slot] = accumulate(
            self.accumulators[slot],
            eon=eon,
            token=wallet.token.address,
            participant=wallet.address,
            operation=operation,
            value=amount,
        )

    def moved(self, operation: Operation, wallet: Wallet, eon: int) -> int:
        """Sum a wallet's deposits or withdrawal requests of an eon."""
        return sum(
            amount
            for kind, when, who, amount in self.events
            if kind is operation and when == eon and who is wallet
        )

    def managed(self, token: Token, eon: int) -> int:
        """Sum the money of a token that the contract holds for wallets before `eon`."""
        signs = {Operation.DEPOSIT: 1, Operation.WITHDRAWAL_REQUEST: -1}
        booked = sum(
            signs[kind] * amount
            for kind, when, who, amount in self.events
            if who.token is token and when < eon
        )
        if token.address == self.contract:
            booked += sum(amount for when, amount in self.gifts if when < eon)
        return booked

    def entries(self, wallet: Wallet, eon: int) -> list[Row]:
        """List a wallet's transaction set of an eon in order."""
        return [
            row
            for row in self.rows
            if row.eon == eon
            and not row.voided
            and (row.sender is wallet or (row.recipient is wallet and row.terms is not None))
        ]

    def receipts(self, wallet: Wallet, eon: int) -> list[Row]:
        """List a wallet's passive receipts of an eon in order."""
        return [
            row
            for row in self.rows
            if row.eon == eon and row.recipient is wallet and row.position is not None
        ]

    def leaf(self, row: Row, wallet: Wallet, *, is_last: bool) -> bytes:
        """Hash an entry of a wallet's set."""
        if row.terms is None:
            return transfer_leaf(
                counterparty=row.recipient.address,
                amount=row.amount,
                recipient_trail=row.recipient.trail,
                position=LAST_POSITION if is_last or row.position is None else row.position,
                nonce=row.nonce,
            )
        allotment = self.starting_balance(wallet, row.eon)
        if row.sender is wallet:
            start = debit_start(
                allotment,
                fixed_start=row.amount if row.is_carried_over else None,
                cancelled="sender_cancellation_active_state" in row.states,
                is_last=is_last,
            )
        else:
            start = credit_start(
                allotment,
                fixed_start=0 if row.is_carried_over else None,
                fulfilled=row.complete,
                cancelled="recipient_cancellation_active_state" in row.states,
                is_last=is_last,
            )
        return row.terms.leaf(start)

    def leaves(self, wallet: Wallet, eon: int) -> list[bytes]:
        """Hash a wallet's whole set as it stands."""
        entries = self.entries(wallet, eon)
        return [self.leaf(row, wallet, is_last=row is entries[-1]) for row in entries]

    def frontier_before(self, wallet: Wallet, eon: int, row: Row | None = None) -> Frontier:
        """Build the frontier of the settled leaves before an entry, or of all."""
        frontier = EMPTY
        for entry in self.entries(wallet, eon):
            if entry is row:
                break
            frontier = frontier.append(self.leaf(entry, wallet, is_last=False))
        return frontier

    def totals(self, wallet: Wallet, eon: int) -> Totals:
        """Tell a wallet's effective totals, matches of its open order included."""
        entries = self.entries(wallet, eon)
        if not entries:
            return Totals(0, 0)
        row = entries[-1]
        side = "sender" if row.sender is wallet else "recipient"
        closing = row.states.get(f"{side}_cancellation_active_state")
        finalisation = row.states.get("recipient_finalization_active_state")
        if side == "recipient" and finalisation is not None:
            closing = finalisation
        if closing is not None:
            return Totals(closing.spent, closing.gained)
        state = row.states[f"{side}_active_state"]
        gained = state.gained
        if row.terms is not None and row.appended:
            if side == "recipient":
                gained += row.matched_in
            elif finalisation is not None:
                gained += row.total_out() - row.matched_out
            elif not row.frozen:
                gained += row.amount - row.matched_out
        return Totals(state.spent, gained)

    def available(self, wallet: Wallet, eon: int) -> int:
        """Tell what a wallet has at the end of an eon, without what only the last eon left."""
        spent, gained = self.totals(wallet, eon)
        received = sum(row.amount for row in self.receipts(wallet, eon))
        deposits = self.moved(Operation.DEPOSIT, wallet, eon)
        requests = self.moved(Operation.WITHDRAWAL_REQUEST, wallet, eon)
        width = self.widths.get((wallet, eon), 0)
        return width + deposits + received + gained - spent - requests

    def spendable(self, wallet: Wallet) -> int:
        """Tell what a wallet may spend now."""
        available = self.available(wallet, self.eon)
        if self.eon > 1 and (wallet, self.eon) not in self.widths:
            available += self.available(wallet, self.eon - 1)
        return available

    def starting_balance(self, wallet: Wallet, eon: int) -> int:
        """Tell the balance to which a set's order leaves commit."""
        width = self.widths.get((wallet, eon))
        if width is not None:
            return width
        return self.available(wallet, eon - 1) if eon > 1 else 0

    def countersign(self, state: SignedState) -> None:
        """Add the operator's signature."""
        state.operator_signature = self.operator.sign(state.digest(self.contract))

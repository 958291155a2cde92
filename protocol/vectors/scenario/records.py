"""What the replay remembers: tokens, wallets, signed states, transfers and orders."""

from dataclasses import dataclass, field

from protocol.address import Address
from protocol.matching import Order
from protocol.orders import OrderTerms, Side
from protocol.states import active_state_digest


@dataclass(frozen=True, slots=True)
class Token:
    """A registered token; `text` is its address in the letter case of its registration."""

    text: str
    address: Address
    trail: int
    name: str
    short_name: str


@dataclass(slots=True, eq=False)
class Wallet:
    """A registered wallet; its trail and the operator's signature follow the admission."""

    token: Token
    text: str
    address: Address
    eon: int
    authorization: bytes
    operator_authorization: bytes | None = None
    trail: int = 0


@dataclass(slots=True, eq=False)
class SignedState:
    """An active state with its signatures, and the path of its newest leaf."""

    wallet: Wallet
    eon: int
    root: bytes
    spent: int
    gained: int
    index: int
    path: list[bytes]
    wallet_signature: bytes
    operator_signature: bytes | None = None

    def digest(self, contract: Address) -> bytes:
        """Hash what both sides sign."""
        return active_state_digest(
            contract=contract,
            token=self.wallet.token.address,
            wallet=self.wallet.address,
            trail=self.wallet.trail,
            eon=self.eon,
            tx_set_root=self.root,
            spent=self.spent,
            gained=self.gained,
        )


@dataclass(slots=True, eq=False)
class Row:
    """A transfer, or an order's copy for one eon; an order's copies share `group`.

    `states` holds signed states under their names in answers. Matched amounts are of this eon.
    An order remembers the sides, debit and credit, on which it was placed and closed.
    """

    number: int
    transaction: int
    eon: int
    sender: Wallet
    recipient: Wallet
    amount: int
    nonce: int
    position: int | None = None
    terms: OrderTerms | None = None
    sells: bool = True
    group: list["Row"] = field(default_factory=list)
    states: dict[str, SignedState] = field(default_factory=dict)
    placed_on: tuple[Side, Side] | None = None
    closed_on: tuple[Side, Side] | None = None
    matched_out: int = 0
    matched_in: int = 0
    freezing_signature: bytes | None = None
    processed: bool = False
    complete: bool = False
    voided: bool = False
    frozen: bool = False
    appended: bool = False

    @property
    def is_carried_over(self) -> bool:
        """Whether this is an order's copy for a later eon than the one it was placed in."""
        return bool(self.group) and self.group[0] is not self

    @property
    def is_open(self) -> bool:
        """Whether this is an order's copy that can trade."""
        closed = self.processed or self.complete or self.voided or self.frozen
        return self.terms is not None and self.appended and not closed

    def total_out(self) -> int:
        """Sum what the order sold in all eons."""
        return sum(row.matched_out for row in self.group)

    def total_in(self) -> int:
        """Sum what the order bought in all eons."""
        return sum(row.matched_in for row in self.group)

    def order(self, terms: OrderTerms) -> Order:
        """Show the order as matching sees it."""
        return Order(
            terms.amount, terms.amount_swapped, self.sells, self.total_out(), self.total_in()
        )

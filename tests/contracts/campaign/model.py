"""What an honest operator's ledger holds, and what the contract must say: the campaign's oracle."""

from dataclasses import dataclass, field

from contracts.development import DevelopmentAccount
from protocol.encoding import ZERO_HASH
from protocol.transfers import LAST_POSITION, transfer_tag

from ..disputes import Receipts, State, Transfer
from ..harness import A, B, Chain, D, E, Member

WALLETS = (A, B, D, E)


@dataclass
class Sent:
    """A passive transfer: who to (trail), how much, where it stands in the recipient's receipts."""

    recipient: int
    amount: int
    position: int
    nonce: int

    def tag(self, *, is_last: bool) -> int:
        return transfer_tag(LAST_POSITION if is_last else self.position, self.nonce)


@dataclass
class Activity:
    """What one wallet did with one token in one eon; `received` holds (sender, amount, nonce)."""

    sent: list[Sent] = field(default_factory=list)
    received: list[tuple[bytes, int, int]] = field(default_factory=list)

    @property
    def spent(self) -> int:
        return sum(transfer.amount for transfer in self.sent)

    @property
    def gained(self) -> int:
        return sum(amount for _, amount, _ in self.received)


@dataclass
class Holding:
    """One wallet's money of one token: the balance now, unpaid requests, deposits by eon."""

    balance: int = 0
    requests: list[tuple[int, int]] = field(default_factory=list)
    deposits: dict[int, int] = field(default_factory=dict)
    activities: dict[int, Activity] = field(default_factory=dict)
    # Balance at the end of an eon: what the checkpoint of the next one has to allot.
    closed: dict[int, int] = field(default_factory=dict)

    def activity(self, eon: int) -> Activity:
        return self.activities.setdefault(eon, Activity())

    def requested(self, first: int, last: int) -> int:
        return sum(amount for eon, amount in self.requests if first <= eon <= last)


class Ledger:
    """All holdings of all tokens, the pool of each token, and the newest checkpoint's eon."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.eon = 1
        self.submitted = 0
        self.pool = dict.fromkeys(chain.tokens, 0)
        self.holdings = {token: [Holding() for _ in WALLETS] for token in chain.tokens}
        self._nonce = 0

    def turn_to(self, eon: int) -> None:
        """Closes every eon before `eon`."""
        for closing in range(self.eon, eon):
            for holdings in self.holdings.values():
                for holding in holdings:
                    holding.closed[closing] = holding.balance
        self.eon = eon

    def deposit(self, token: bytes, trail: int, amount: int) -> None:
        holding = self.holdings[token][trail]
        holding.balance += amount
        holding.deposits[self.eon] = holding.deposits.get(self.eon, 0) + amount
        self.pool[token] += amount

    def transfer(self, token: bytes, sender: int, recipient: int, amount: int) -> None:
        debit, credit = self.holdings[token][sender], self.holdings[token][recipient]
        self._nonce += 1
        receipts = credit.activity(self.eon)
        debit.activity(self.eon).sent.append(Sent(recipient, amount, receipts.gained, self._nonce))
        receipts.received.append((WALLETS[sender].address, amount, self._nonce))
        debit.balance -= amount
        credit.balance += amount

    def request(self, token: bytes, trail: int, amount: int) -> None:
        holding = self.holdings[token][trail]
        holding.requests.append((self.eon, amount))
        holding.balance -= amount

    def slash(self, token: bytes, trail: int) -> list[int]:
        """Drops what the newest checkpoint has not deducted: [of the last eon, of this one]."""
        holding = self.holdings[token][trail]
        oldest = self.eon - 1 if self.submitted < self.eon else self.eon
        dropped = [holding.requested(oldest, self.eon - 1), holding.requested(self.eon, self.eon)]
        holding.requests = [entry for entry in holding.requests if entry[0] < oldest]
        holding.balance += sum(dropped)
        if dropped[0]:
            holding.closed[self.eon - 1] += dropped[0]
        return dropped

    def pay(self, token: bytes, trail: int, *, era: int) -> int:
        """Takes every payable request off the list, and their sum out of the pool."""
        holding = self.holdings[token][trail]
        slack = self.chain.blocks_per_eon // 3
        paid = 0
        while holding.requests:
            eon, amount = holding.requests[0]
            mature = eon + 2 < self.eon or (eon + 2 == self.eon and era >= slack)
            if not mature or eon > self.submitted - 2:
                break
            holding.requests.pop(0)
            paid += amount
        self.pool[token] -= paid
        return paid

    def allotted(self, token: bytes, trail: int, eon: int) -> int:
        """What the checkpoint of `eon` gives a wallet."""
        return self.holdings[token][trail].closed.get(eon - 1, 0)

    def recoverable(self, token: bytes, trail: int) -> int:
        """What a wallet gets back after the halt."""
        usable = self.submitted - 1
        holding = self.holdings[token][trail]
        fresh = sum(amount for eon, amount in holding.deposits.items() if eon >= usable)
        finalised = holding.requested(0, self.submitted - 2)
        return self.allotted(token, trail, usable) + fresh + finalised

    def state(self, token: bytes, trail: int, eon: int, count: int | None = None) -> State:
        """The signed state of `eon` after `count` transfers (all of them unless given)."""
        sent = self.holdings[token][trail].activity(eon).sent[:count]
        leaves = tuple(
            self.named(token, trail, transfer, is_last=index == len(sent) - 1).leaf()
            for index, transfer in enumerate(sent)
        )
        spent = sum(transfer.amount for transfer in sent)
        return State(self.chain, WALLETS[trail], trail, eon, leaves, spent=spent, token=token)

    def named(self, token: bytes, trail: int, sent: Sent, *, is_last: bool) -> Transfer:
        """A transfer as it stands in its sender's set."""
        recipient = WALLETS[sent.recipient]
        number = sent.tag(is_last=is_last)
        return Transfer(WALLETS[trail], recipient, sent.amount, number, sent.recipient)

    def receipts(self, token: bytes, trail: int, eon: int) -> Receipts:
        return Receipts(trail, tuple(self.holdings[token][trail].activity(eon).received))

    def members(self, token: bytes) -> list[Member]:
        """The checkpoint of this eon: every wallet as the eon before left it."""
        last = self.eon - 1
        return [self._member(token, trail, last) for trail in range(len(WALLETS))]

    def _member(self, token: bytes, trail: int, last: int) -> Member:
        activity = self.holdings[token][trail].activity(last)
        receipts = self.receipts(token, trail, last)
        return Member(
            WALLETS[trail].address,
            self.allotted(token, trail, last + 1),
            active=self.state(token, trail, last).digest if activity.sent else ZERO_HASH,
            passive_root=receipts.root if activity.received else ZERO_HASH,
            passive_amount=activity.gained,
            passive_mark=activity.sent[-1].position if activity.sent else 0,
        )


def trail_of(wallet: DevelopmentAccount) -> int:
    return WALLETS.index(wallet)

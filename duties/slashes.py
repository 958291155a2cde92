"""Having too large withdrawal requests cancelled: argument, what it sees, what it asks for."""

from dataclasses import dataclass

from duties.calendar import Calendar


@dataclass(frozen=True)
class SlashOrder:
    """A decision of the ledger: `slash` is its row; `address` has 40 hex digits.

    `number` counts the wallet's decisions of `eon`, from 1.
    """

    slash: int
    short_name: str
    address: str
    eon: int
    number: int = 1


@dataclass(frozen=True)
class SlashStart:
    """The decision to carry out."""

    order: SlashOrder
    calendar: Calendar


@dataclass(frozen=True)
class SlashBook:
    """A decision as the ledger has it; `total` in words for people, never computed with.

    `open_requests` are those that still have to be dropped, 0 when the duty is done.
    """

    open_requests: int = 0
    total: str = "0"
    deadline_block: int | None = None
    status: str = ""


@dataclass(frozen=True)
class OpenSlash:
    """Ask for the intent that carries a decision out; a new `revision` after one failed."""

    order: SlashOrder
    revision: int


@dataclass(frozen=True)
class SlashStatus:
    """Answer to the query `status`."""

    book: SlashBook
    phase: str
    revision: int

"""The desk that pays one wallet of one token: argument, what it sees, what it asks for."""

from dataclasses import dataclass

from duties.calendar import Calendar


@dataclass(frozen=True)
class Desk:
    """A wallet of a token; both addresses are 40 hex digits. It need not be registered."""

    token: str
    short_name: str
    address: str


@dataclass(frozen=True)
class DeskStart:
    """The desk to keep, and whether a person paused it in the run before."""

    desk: Desk
    calendar: Calendar
    paused: bool = False


@dataclass(frozen=True)
class DeskBook:
    """A desk's open requests, from the ledger; amounts in words for people, never computed with.

    `first_payable_block` is that of the oldest open request, None without any.
    """

    open_requests: int = 0
    first_payable_block: int | None = None
    newest_request: int = 0
    total: str = "0"


@dataclass(frozen=True)
class OpenConfirmation:
    """Ask for the intent that pays a desk's requests; a new `revision` after one failed."""

    desk: Desk
    revision: int


@dataclass(frozen=True)
class DeskStatus:
    """Answer to the query `status`."""

    book: DeskBook
    blocked: str
    paused: bool
    next_wake_block: int | None

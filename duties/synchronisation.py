"""Following the chain: what one turn does, what it found."""

from dataclasses import dataclass

from duties.calendar import Calendar


@dataclass(frozen=True)
class SyncStart:
    """The calendar, and what one run hands to the next."""

    calendar: Calendar
    reorganisations: int = 0
    paused: bool = False


@dataclass(frozen=True)
class FollowChain:
    """Follow the head for at most `turns` looks, `poll_s` apart when there is nothing new."""

    calendar: Calendar
    turns: int = 200


@dataclass(frozen=True)
class Followed:
    """Where the chain stood after a turn; `reorganisations` counts those met in it.

    `stopped` is empty, or says why nothing may be believed until a person decides.
    """

    head_block: int
    confirmed_block: int
    eon: int
    sub_block: int
    reorganisations: int = 0
    stopped: str = ""


@dataclass(frozen=True)
class SyncStatus:
    """Answer to the query `status`."""

    followed: Followed | None
    reorganisations: int
    paused: bool


@dataclass(frozen=True)
class Resync:
    """Give up the stored chain above `block`, as a person decided after a deep reorganisation.

    `update_id` names the act for whoever repeats it.
    """

    block: int
    actor: str
    reason: str
    update_id: str = ""

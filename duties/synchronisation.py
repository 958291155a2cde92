"""Following the chain: what one turn does, what it found."""

from dataclasses import dataclass

from duties.calendar import Calendar


@dataclass(frozen=True)
class SyncStart:
    """The calendar, and what one run hands to the next."""

    calendar: Calendar
    reorganisations: int = 0
    paused: bool = False
    split: str = ""


@dataclass(frozen=True)
class FollowChain:
    """Follow the head for at most `turns` looks, `poll_s` apart when there is nothing new."""

    calendar: Calendar
    turns: int = 200


@dataclass(frozen=True)
class Followed:
    """Where the chain stood after a turn; `reorganisations` counts those met in it.

    `stopped` is empty, or says why nothing may be believed until a person decides. `split` is
    empty, or says where the chain has parted from what was confirmed: the head is followed, but
    nothing is credited until a person decides.
    """

    head_block: int
    confirmed_block: int
    eon: int
    sub_block: int
    reorganisations: int = 0
    stopped: str = ""
    split: str = ""


@dataclass(frozen=True)
class SyncStatus:
    """Answer to the query `status`."""

    followed: Followed | None
    reorganisations: int
    paused: bool


@dataclass(frozen=True)
class Resync:
    """The node's branch counts from `block` on, as a person decided after a deep reorganisation.

    `update_id` names the act for whoever repeats it. `keeps_committed`: what a closed eon has
    counted stays although the chain has lost it.
    """

    block: int
    actor: str
    reason: str
    update_id: str = ""
    keeps_committed: bool = False

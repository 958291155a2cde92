"""What every channel to people has in common."""

from __future__ import annotations

from typing import Protocol

from ledger.alarm_outbox import Outgoing

LONGEST_TEXT = 2_000
"""Characters of a message; services refuse blocks of more than 3000."""


class NotDelivered(Exception):
    """A channel did not take a message; the text tells why and holds no secret."""


class Channel(Protocol):
    """A way to reach people; `name` keeps its deliveries apart from those of others."""

    name: str

    async def send(self, message: Outgoing) -> None:
        """Deliver a message or raise `NotDelivered`."""


def subject_line(message: Outgoing) -> str:
    """What it is and what it is about, in one line; the end of a condition says so."""
    ended = "resolved: " if message.kind == "resolved" else ""
    return one_line(f"{ended}{message.subject} ({message.about})")


def body_line(message: Outgoing) -> str:
    """The message in one line, with the number of times it was raised."""
    times = f" (raised {message.occurrences} times)" if message.occurrences > 1 else ""
    return one_line(message.message) + times


def one_line(text: str) -> str:
    """Text without line breaks, cut where it becomes too long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_TEXT else f"{flat[:LONGEST_TEXT]}..."

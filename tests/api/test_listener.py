"""The listener when what it stands on fails: nothing is lost, nothing holds back the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from api.streams.hub import Hub, Push
from api.streams.listener import Listener
from api.streams.outbox import Told
from api.streams.teller import Teller
from ledger.notifications import tell
from tests.api.serving import until
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio
STREAM = f"wallet/{'a' * 40}/{'b' * 40}"


class Ear:
    """A subscriber that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def push(self, text: str) -> None:
        self.heard.append(text)


class Stumbling(Teller):
    """Fails the first time that an event named `STUMBLE` is rendered."""

    def __init__(self, hub: Hub, fault: Exception) -> None:
        super().__init__(hub)
        self.fault: Exception | None = fault

    def render(self, session: Session, rows: Sequence[Told]) -> list[Push]:
        fault = self.fault
        if fault is not None and any(row.event == "STUMBLE" for row in rows):
            self.fault = None
            raise fault
        return super().render(session, rows)


def say(ledger: World, event: str) -> None:
    with ledger.begin() as session:
        tell(session, event, [STREAM], payload={})


async def listen(ledger: World, fault: Exception) -> list[str]:
    hub, ear = Hub(), Ear()
    hub.subscribe(STREAM, ear)
    teller = Stumbling(hub, fault)
    listener = Listener(ledger.engine, ledger.sessions, hub, teller)
    listener.start()
    try:
        await until(lambda: hub.is_listening)
        say(ledger, "FIRST")
        await until(lambda: len(ear.heard) == 1)
        say(ledger, "STUMBLE")
        await until(lambda: teller.fault is None)
        say(ledger, "LAST")
        await until(lambda: any("LAST" in text for text in ear.heard))
    finally:
        await listener.stop()
    return [text.split('"type":"')[3].split('"')[0] for text in ear.heard]


async def test_what_a_lost_connection_interrupted_is_told_in_its_place(ledger: World) -> None:
    lost = OperationalError("SELECT", {}, Exception("gone"))

    assert await listen(ledger, lost) == ["FIRST", "STUMBLE", "LAST"]


async def test_what_cannot_be_told_does_not_hold_back_the_rest(ledger: World) -> None:
    assert await listen(ledger, ValueError("not renderable")) == ["FIRST", "LAST"]

"""The notification hook: the form that is posted, retries, and what must never be in it."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import func, select, update

from activities.telling import hook as hook_module
from activities.telling.courier import Courier
from activities.telling.hook import Hook
from duties import alarms
from ledger.alarms import acting_for, clear_alarm, raise_alarm
from logs import Redaction
from models import AlarmDelivery, AlarmMessage
from setting_types import Secret
from tests.activities.telling.conftest import HookServer
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio
SERVER = "hub <1>"


def courier(ledger: World, url: str, *secrets: str) -> Courier:
    redact = Redaction(tuple(Secret(text) for text in secrets)).text
    return Courier(ledger.sessions, [Hook(Secret(url), SERVER, redact)])


def states(ledger: World) -> list[tuple[str, str, int]]:
    with ledger.begin() as session:
        rows = session.execute(
            select(AlarmDelivery.state, AlarmDelivery.error, AlarmDelivery.attempts)
        )
        return [tuple(row) for row in rows]


def make_due(ledger: World) -> None:
    with ledger.begin() as session:
        session.execute(update(AlarmDelivery).values(due_at=func.now()))
        session.execute(update(AlarmMessage).values(due_at=func.now()))


async def test_an_alarm_and_its_end_are_posted_in_the_form_of_the_hook(
    ledger: World, hook: HookServer
) -> None:
    ledger.move_to_eon(7)
    with acting_for("eon-7"), ledger.begin() as session:
        raise_alarm(session, "critical", alarms.OVERCLAIM, "eon-7", "LQD: 7 allotted,\n6 & held")
    await courier(ledger, hook.url).turn()
    assert hook.posts == [
        {
            "blocks": [
                {
                    "type": "section",
                    "text": {
                        "type": "mrkdwn",
                        "text": "*Server:* hub &lt;1&gt;\n*Subject:* over-claim (eon-7)\n"
                        "*Message:* LQD: 7 allotted, 6 &amp; held\n*Severity:* critical\n"
                        "*Duty:* eon-7\n*Eon:* 7",
                    },
                }
            ]
        }
    ]
    with ledger.begin() as session:
        clear_alarm(session, alarms.OVERCLAIM, "eon-7")
    make_due(ledger)
    await courier(ledger, hook.url).turn()
    assert "*Subject:* resolved: over-claim (eon-7)\n" in hook.texts()[1]
    assert await courier(ledger, hook.url).turn() == 0


async def test_what_the_hook_refuses_is_posted_again_until_it_is_taken(
    ledger: World, hook: HookServer
) -> None:
    with ledger.begin() as session:
        raise_alarm(session, "warning", alarms.FUEL, "0xab", "5 wei")
    hook.statuses = [500, 302, 429, 200]
    for number, error in enumerate(("500", "302", "429"), 1):
        await courier(ledger, hook.url).turn()
        assert states(ledger) == [("waiting", f"the hook answered {error}", number)]
        make_due(ledger)
    await courier(ledger, hook.url).turn()
    assert states(ledger) == [("delivered", "", 4)]
    assert len(hook.posts) == 4 and len({str(post) for post in hook.posts}) == 1


async def test_a_hook_that_is_away_or_silent_costs_a_bounded_time_and_loses_nothing(
    ledger: World, hook: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_module, "TIMEOUT_S", 0.3)
    with ledger.begin() as session:
        raise_alarm(session, "warning", alarms.FUEL, "0xab", "5 wei")

    async def never(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    silent = await asyncio.start_server(never, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    begun = time.monotonic()
    await courier(ledger, f"http://127.0.0.1:{port}/services/key").turn()
    assert time.monotonic() - begun < 3
    silent.close()
    make_due(ledger)
    await courier(ledger, f"http://127.0.0.1:{port}/services/key").turn()
    ((state, error, attempts),) = states(ledger)
    assert (state, attempts) == ("waiting", 2) and "key" not in error
    make_due(ledger)
    await courier(ledger, hook.url).turn()
    assert [state for state, _, _ in states(ledger)] == ["delivered"]


async def test_no_secret_leaves_in_a_message(ledger: World, hook: HookServer) -> None:
    secret, url = "5e" * 32, "https://name:a-password@node.example"
    message = f"no answer from {url}: api_key={secret} and {secret}"
    with ledger.begin() as session:
        raise_alarm(session, "warning", alarms.DUTY_FAILING, "eon-1", message)
    await courier(ledger, hook.url, secret).turn()
    (text,) = hook.texts()
    assert secret not in text and "a-password" not in text and "***" in text


async def test_a_very_long_message_is_cut(ledger: World, hook: HookServer) -> None:
    with ledger.begin() as session:
        raise_alarm(session, "warning", alarms.OVERCLAIM, "eon-1", "x" * 50_000)
    await courier(ledger, hook.url).turn()
    assert len(hook.texts()[0]) < 3_000

"""Four processes whose duty fails two hundred times within the hour: people hear of it once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from settings import inherited_environment
from tests.activities.telling.conftest import HookServer
from tests.ledger.world import World

pytestmark = pytest.mark.asyncio
ROOT = Path(__file__).parents[3]
PROCESSES = 4
FAILING_PROCESS = """
import asyncio, sys
from activities.telling.courier import Courier
from activities.telling.hook import Hook
from ledger.alarms import acting_for, raise_alarm
from models.engine import open_engine, open_sessions
from setting_types import Secret

async def main(database, hook):
    sessions = open_sessions(open_engine(database, application_name="failing", pool_size=3))
    courier = Courier(sessions, [Hook(Secret(hook), "hub", str)], poll_s=0.05)
    delivering = asyncio.create_task(courier.run())
    for number in range(50):
        with acting_for("eon-1"), sessions.begin() as session:
            raise_alarm(session, "warning", "duty failing", "eon-1", f"failure {number}")
        await asyncio.sleep(0)
    await asyncio.sleep(1)
    delivering.cancel()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_hundred_failures_in_four_processes_are_one_message(
    ledger: World, hook: HookServer
) -> None:
    database = ledger.engine.url.render_as_string(hide_password=False)
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", FAILING_PROCESS, database, hook.url),
            cwd=ROOT,
            env=inherited_environment(PYTHONPATH=str(ROOT)),
        )
        for _ in range(PROCESSES)
    ]
    assert [await process.wait() for process in running] == [0] * PROCESSES
    (text,) = hook.texts()
    assert "*Subject:* duty failing (eon-1)" in text

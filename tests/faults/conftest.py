"""Plays of minutes, by a command of their own: `./run.sh test-faults`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest_asyncio

THREADS = 32


@pytest_asyncio.fixture(autouse=True)
async def threads() -> AsyncIterator[None]:
    """A wallet that waits for its transaction takes one."""
    with ThreadPoolExecutor(THREADS) as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        yield

"""Scripted operators on a server that skips the time that workflows wait."""

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows.scripted import Script, at_work, calendar, register_attributes


@pytest_asyncio.fixture
async def script(time_skipping_environment: WorkflowEnvironment) -> AsyncIterator[Script]:
    """A script with workers at work."""
    await register_attributes(time_skipping_environment.client)
    written = Script(time_skipping_environment, calendar())
    async with at_work(time_skipping_environment.client, written):
        yield written

"""Reaching Temporal from the settings."""

from __future__ import annotations

from temporalio.client import Client

from settings import Settings


async def connect_lazily(settings: Settings) -> Client:
    """A client that opens its connection at the first call, and again when it was lost."""
    return await Client.connect(**settings.temporal_connect(), lazy=True)

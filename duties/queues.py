"""Task queues: who may run what, and where the key is."""

from typing import Final

DUTY: Final = "nocust-duty"
"""Every workflow."""

READ: Final = "nocust-read"
"""Watching transactions on the node."""

WRITE: Final = "nocust-write"
"""Signing and broadcasting: one activity at a time, and the only one that needs the key."""

LEDGER: Final = "nocust-ledger"
"""Synchronisation, checkpoints, and every question to the ledger."""

NOTIFY: Final = "nocust-notify"
"""Alarms, interventions and what is fetched from the outside."""

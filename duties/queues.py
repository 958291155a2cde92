"""Task queues: who may run what, and where the key is."""

from typing import Final

DUTY: Final = "nocust-duty"
"""Every workflow."""

READ: Final = "nocust-read"
"""Watching transactions on the node."""

WRITE: Final = "nocust-write"
"""Signing and broadcasting ordinary transactions: one activity at a time, with the key."""

URGENT: Final = "nocust-urgent"
"""Signing and broadcasting what the chain halts without, with the key: nothing else runs here."""

LEDGER: Final = "nocust-ledger"
"""Synchronisation, checkpoints, and every question to the ledger."""

NOTIFY: Final = "nocust-notify"
"""Alarms, interventions and what is fetched from the outside."""

ALL: Final = (DUTY, LEDGER, READ, WRITE, URGENT, NOTIFY)

OF_ROLE: Final = {
    "chain": (WRITE, URGENT, READ),
    "ledger": (DUTY, LEDGER),
    "notify": (NOTIFY,),
    "all": ALL,
}
"""What a worker serves in each of its roles."""

"""The eon's lock: whoever adds to an eon shares it, whoever closes or commits it holds it alone.

The locks are the database's and end with the transaction, however that ends.
"""

from __future__ import annotations

from typing import Any, Final

_CLASS: Final = 0x454F4E
"""Keeps these advisory locks apart from others: the letters EON."""

# PostgreSQL's two-key locks take 32-bit keys; eons of a chain stay far below.
SHARE: Final = f"SELECT pg_advisory_xact_lock_shared({_CLASS}, %s::int)"
_HOLD: Final = f"SELECT pg_advisory_xact_lock({_CLASS}, %s::int)"


def share_eon(cursor: Any, eon: int) -> None:
    """Wait until nobody holds `eon`, then keep it from being closed until the transaction ends."""
    cursor.execute(SHARE, (eon,))


def hold_eon(cursor: Any, eon: int) -> None:
    """Wait for all who share `eon` to end, then keep them out until the transaction ends."""
    cursor.execute(_HOLD, (eon,))

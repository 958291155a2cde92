"""What a checkpoint came to, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, text

CREATED: Final = "created"
HELD: Final = "held"

_ROOT: Final = text("SELECT merkle_root, status FROM root_commitment WHERE eon = :eon")
_TOKENS: Final = text("""
SELECT t.id, t.address, t.short_name, c.upper_bound, c.managed_funds, c.leaf_count
FROM token_commitment c JOIN token t ON t.id = c.token_id WHERE c.eon = :eon ORDER BY t.trail
""")


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """One token of a checkpoint. Amounts in base units.

    `upper_bound` is what its leaves claim, `managed_funds` what the contract holds for them.
    """

    token_id: int
    address: bytes
    short_name: str
    upper_bound: int
    managed_funds: int
    leaf_count: int

    @property
    def overclaim(self) -> int:
        """What the leaves claim beyond the money that there is; 0 for a sound token."""
        return max(0, self.upper_bound - self.managed_funds)


@dataclass(frozen=True, slots=True)
class CheckpointSummary:
    """A stored checkpoint. `status` is `created`, `held` (over-claimed) or `committed`."""

    eon: int
    merkle_root: bytes
    status: str
    tokens: tuple[TokenSummary, ...]


def find_summary(connection: Connection, eon: int) -> CheckpointSummary | None:
    """Read a checkpoint's summary, None while it does not exist."""
    root: Any = connection.execute(_ROOT, {"eon": eon}).one_or_none()
    if root is None:
        return None
    tokens = tuple(
        TokenSummary(row.id, bytes(row.address), row.short_name, *row[3:])
        for row in connection.execute(_TOKENS, {"eon": eon})
    )
    return CheckpointSummary(eon, bytes(root.merkle_root), root.status, tokens)

"""The contract's challenge book as the ledger hears of it: entries at one head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from models import Challenge
from protocol.address import Address

STATE_UPDATE: Final = "state_update"
DELIVERY: Final = "delivery"
SWAP: Final = "swap"
UNKNOWN: Final = "unknown"
"""Of one address about a token or pair that the ledger does not know."""

OPEN: Final = ("open", "answering")
"""Statuses of challenges to which an answer is owed."""

Parties: TypeAlias = tuple[Address, Address, Address]
"""Token or conduit, recipient, sender: where the contract files an entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An open entry, opened in `block`; the members are the contract's, see `docs/chain.md`.

    Balances and amounts are in base units of the token; of a swap `delta_highest_spendings` is
    what is sold, `delta_highest_gains` what is wanted for it.
    """

    kind: str
    block: int
    initial_state_eon: int
    initial_state_balance: int
    delta_highest_spendings: int
    delta_highest_gains: int
    final_state_balance: int
    delivered_tx_nonce: int
    trail: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What the contract's book shows in the state of one block, the head when it was read.

    `entries` has None for parties without an open entry; `live` counts the open ones by the eon
    in which they were opened.
    """

    block: int
    block_hash: bytes
    entries: Mapping[Parties, Entry | None]
    live: Mapping[int, int]


def parties_of(row: Challenge) -> Parties:
    """Where the contract files a challenge."""
    return bytes(row.token_or_conduit), bytes(row.recipient), bytes(row.sender)


def entry_of(row: Challenge) -> Entry | None:
    """The contract's record as it was seen, None while it was not."""
    if row.delivered_tx_nonce is None:
        return None
    return Entry(
        kind=row.kind,
        block=row.issue_block,
        initial_state_eon=row.initial_state_eon,
        initial_state_balance=row.initial_state_balance or 0,
        delta_highest_spendings=row.delta_highest_spendings or 0,
        delta_highest_gains=row.delta_highest_gains or 0,
        final_state_balance=row.final_state_balance or 0,
        delivered_tx_nonce=row.delivered_tx_nonce,
        trail=row.trail or 0,
    )


def keep_record(row: Challenge, entry: Entry) -> None:
    """Take over what the contract recorded when the challenge was opened."""
    row.kind = entry.kind
    row.trail = entry.trail
    row.initial_state_balance = entry.initial_state_balance
    row.delta_highest_spendings = entry.delta_highest_spendings
    row.delta_highest_gains = entry.delta_highest_gains
    row.final_state_balance = entry.final_state_balance
    row.delivered_tx_nonce = entry.delivered_tx_nonce

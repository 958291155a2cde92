"""Requests that ask for more than a wallet has: found, decided on, and followed to their end."""

from ledger.slashing.course import (
    end_slashes,
    find_mined_slash,
    give_up_slash,
    join_open_slashes,
    queued_slashes,
)
from ledger.slashing.decisions import NOTICE, decide_slashes
from ledger.slashing.markers import Marker, choose_marker
from ledger.slashing.overdraws import Overdraw, find_overdraws

__all__ = [
    "NOTICE",
    "Marker",
    "Overdraw",
    "choose_marker",
    "decide_slashes",
    "end_slashes",
    "find_mined_slash",
    "find_overdraws",
    "give_up_slash",
    "join_open_slashes",
    "queued_slashes",
]

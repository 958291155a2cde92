"""The checkpoint: every wallet's allotment at the end of an eon, committed to by one root."""

from ledger.checkpoint.announcing import announce_checkpoint
from ledger.checkpoint.building import build_checkpoint
from ledger.checkpoint.discarding import discard_checkpoint
from ledger.checkpoint.summary import CheckpointSummary, TokenSummary

__all__ = [
    "CheckpointSummary",
    "TokenSummary",
    "announce_checkpoint",
    "build_checkpoint",
    "discard_checkpoint",
]

"""Transfers: many requests appended in one database transaction, each with its own verdict."""

from ledger.transfers.batch import Batch, BatchMemory, append_transfers
from ledger.transfers.requests import (
    TransferAccepted,
    TransferRefused,
    TransferRequest,
    Verdict,
)

__all__ = [
    "Batch",
    "BatchMemory",
    "TransferAccepted",
    "TransferRefused",
    "TransferRequest",
    "Verdict",
    "append_transfers",
]

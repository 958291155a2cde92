"""Transfers: many requests appended in one database transaction, each with its own verdict."""

from ledger.transfers.batch import BatchMemory, append_transfers
from ledger.transfers.requests import (
    TransferAccepted,
    TransferRefused,
    TransferRequest,
    Verdict,
)

__all__ = [
    "BatchMemory",
    "TransferAccepted",
    "TransferRefused",
    "TransferRequest",
    "Verdict",
    "append_transfers",
]

"""Temporal activities: thin, idempotent steps over the ledger and the chain."""

"""The sanity checks: the ledger held against the contract, and against itself."""

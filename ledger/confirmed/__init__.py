"""What each confirmed event of the contract does to the ledger."""

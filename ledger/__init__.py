"""The ledger's rules, each inside one database transaction."""

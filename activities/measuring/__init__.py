"""What a worker tells Prometheus: the ledger, the chain, the account, the duties."""

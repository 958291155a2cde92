"""The ledger's records as JSON of the wire. Wallets refuse unknown members: nothing is added."""

"""Reading what wallets send: bodies, fields and their errors in the shapes of the wire."""

"""The trees of NOCUST: transaction sets, passive deliveries, balances and tokens."""

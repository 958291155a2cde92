"""A whole commit-chain played from a seed: wallets, disputes and faults over many eons."""

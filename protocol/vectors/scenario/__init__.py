"""Replaying the recorded run of an operator: requests, orders and checkpoints in memory.

The replay keeps the few facts that wallets and the chain reported, and derives from them every
answer that the recording holds. It is a model of the ledger's arithmetic without its locks,
deadlines and storage, written from the protocol's rules alone.
"""

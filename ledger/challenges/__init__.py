"""Challenges: which are open, what the contract's book says of them, and what answers each."""

"""A long random life of one commit-chain after the other, checked after every step."""

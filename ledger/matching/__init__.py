"""Matching: one elected process lets each order be the taker once, and then rest in its book."""

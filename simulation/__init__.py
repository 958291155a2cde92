"""Whole-network scenarios played from outside with the wallet client."""

"""Solidity sources, their build and the committed artefacts."""

"""Temporal workflows: the operator's duties."""

"""The scheduled checks, on a real database, node, contract and Temporal server."""

"""The whole operator of the end-to-end tests."""

from tests.end_to_end.conftest import chain_node, home, operator

__all__ = ["chain_node", "home", "operator"]

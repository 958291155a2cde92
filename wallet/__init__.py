"""The reference wallet client: it checks everything that the operator says."""

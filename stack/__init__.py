"""The embedded default: PostgreSQL, Temporal, an EVM node and our processes, supervised."""

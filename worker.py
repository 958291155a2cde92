"""The Temporal worker, by role."""

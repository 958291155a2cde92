"""The nocust-operator commands, one module each."""

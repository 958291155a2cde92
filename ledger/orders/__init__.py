"""Orders: from their placement over every eon in which they live to their end."""

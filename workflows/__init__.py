"""The operator's duties as durable workflows: they decide and wait, activities do the rest."""

"""Measures what calls cost, beside what the original contract's cost."""

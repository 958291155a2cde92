"""Measurements: each module prints its figures and the machine they were taken on."""

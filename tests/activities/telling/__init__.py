"""Telling people of alarms, on real servers of this machine."""

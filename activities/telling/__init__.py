"""Telling people of alarms: the courier and the channels that it uses."""

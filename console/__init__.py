"""Doors for people: command line, monitor, local servers."""

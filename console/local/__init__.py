"""Servers of ours for one machine: PostgreSQL, Redis and a GitHub stand-in."""

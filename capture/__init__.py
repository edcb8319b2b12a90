"""Rules: what a job may do, when it is tried again, how urgent it is, what GitHub says. No database, no broker."""

__version__ = "0.1.0"

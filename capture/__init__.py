"""Rules: what a job may do, when it is tried again, how urgent it is, what GitHub says. No database, no broker."""

from typing import Final

__version__: Final = "0.1.0"

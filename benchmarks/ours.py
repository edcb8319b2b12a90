"""No-op jobs on the ledger, for the workers of the benchmark."""

from actors.broker import actor, broker

__all__ = ["broker", "noop"]


@actor()
def noop(number: int) -> None:
    """Do nothing."""
    del number

"""The public actors."""

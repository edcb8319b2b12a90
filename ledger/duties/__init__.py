"""What the leader does each round, one duty per file: promote, dispatch, rescue, release."""

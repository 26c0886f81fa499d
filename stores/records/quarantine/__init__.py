"""What was refused, with its reason, until it is stored or somebody discards it."""

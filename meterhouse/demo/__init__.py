"""A whole estate on one machine, to look at and to prove."""

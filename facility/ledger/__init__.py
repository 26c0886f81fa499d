"""A meter's ledger: what hung at its place since when, and what may be noted in it."""

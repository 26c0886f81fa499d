"""Hourly and daily figures, kept true whatever is written late, twice or otherwise."""

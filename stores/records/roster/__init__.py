"""The roster: who can do what, where, and when they are on shift."""

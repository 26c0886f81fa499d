"""Wired M-Bus: the link layer is ours (EN 13757-2), pymbusparser reads the telegrams (EN 13757-3)."""

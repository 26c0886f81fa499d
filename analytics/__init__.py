"""Learns what is normal, watches what is, and tells a person what deserves one."""

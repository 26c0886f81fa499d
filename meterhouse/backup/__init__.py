"""Backups of a server: written while it runs, for a key that is kept elsewhere; put back whole or not at all."""

"""One SQLite file as a reading store."""

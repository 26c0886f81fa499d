"""What people hand in of readings: proposed, confirmed by somebody else, taken in by ingest, and taken back whole."""

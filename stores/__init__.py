"""Where things are kept: readings and rollups behind one port, records in SQL."""

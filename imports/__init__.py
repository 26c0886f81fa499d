"""What people hand in as tables, CSV or Excel: read, checked row by row against the estate, and proposed as a whole."""

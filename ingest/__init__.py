"""Takes readings in: hears, checks, stores, and only then acknowledges."""

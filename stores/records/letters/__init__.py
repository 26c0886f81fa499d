"""Letters: what leaves Meterhouse for a person, kept until it is known to have left."""

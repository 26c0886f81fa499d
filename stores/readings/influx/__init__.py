"""An InfluxDB as a reading store: 1.8 and later of 1.x, and 2.x."""

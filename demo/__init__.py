"""A real estate to try Meterhouse on: recorded buildings shown as today, and simulated devices that speak for them."""

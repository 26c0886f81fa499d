"""Asks meters, keeps what they said until the server has it, and pushes it over MQTT."""

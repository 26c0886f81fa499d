"""Servers that Meterhouse brings up by itself on this machine: a private MQTT broker and an InfluxDB."""

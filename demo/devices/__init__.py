"""Simulated devices that speak as real ones do: Modbus over TCP and over a serial line, and JSON over MQTT."""

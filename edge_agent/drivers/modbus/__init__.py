"""Modbus over TCP, TLS and UDP, over a serial line (RTU and ASCII), and RTU frames over TCP."""

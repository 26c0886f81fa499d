"""Modbus over TCP, over a serial line (RTU), and RTU frames over TCP."""

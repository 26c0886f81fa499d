"""Modbus: registers by address, on serial lines and over TCP."""

from __future__ import annotations

from facility.protocols.modbus.bus import SCHEMES, modbus_line, modbus_unit
from facility.protocols.modbus.document import ModbusDocument
from facility.protocols.rules import ProtocolRules

MODBUS = ProtocolRules(SCHEMES, ModbusDocument, modbus_line, modbus_unit)

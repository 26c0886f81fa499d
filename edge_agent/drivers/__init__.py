"""Every protocol that an agent speaks, by its word in ``facility.protocols``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.bacnet.driver import BacnetDriver
from edge_agent.drivers.framed.driver import Cjt188Driver, Dlt645Driver
from edge_agent.drivers.http_json import HttpJsonDriver
from edge_agent.drivers.mbus.driver import MbusDriver
from edge_agent.drivers.modbus.driver import ModbusDriver
from edge_agent.drivers.mqtt_json import MqttJsonDriver
from edge_agent.drivers.sparkplug.driver import SparkplugDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.drivers.base import BusSeat, Driver

DRIVERS: dict[str, Callable[[BusSeat], Driver]] = {
    "modbus": ModbusDriver,
    "mqtt_json": MqttJsonDriver,
    "dlt645": Dlt645Driver,
    "cjt188": Cjt188Driver,
    "mbus": MbusDriver,
    "http_json": HttpJsonDriver,
    "bacnet": BacnetDriver,
    "sparkplug": SparkplugDriver,
}
"""Recordings are no bus: they are played beside all buses by ``drivers.replay``."""

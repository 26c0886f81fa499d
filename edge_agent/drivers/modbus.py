"""Modbus over TCP, over a serial line (RTU), and RTU frames over TCP: one driver, chosen by URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerType

from edge_agent.drivers.base import BusDownError, NoAnswerError
from edge_agent.drivers.serial_line import SerialLineClient
from facility.errors import ConfigError, DriverError
from facility.profile import Table

if TYPE_CHECKING:
    from pymodbus.client.base import ModbusBaseSyncClient

    from edge_agent.drivers.base import BusSeat
    from edge_agent.spans import Span
    from facility.catalogue import Bus

NEVER = 1 << 60

GATEWAY_EXCEPTIONS = {10, 11}
"""Gateway path unavailable, target did not answer: Modbus application protocol V1.1b3, section 7."""


class ModbusDriver:
    """Reads blocks of registers. Any silence on TCP closes the connection, so that a late answer hits nobody."""

    def __init__(self, seat: BusSeat) -> None:
        self._bus = seat.bus
        self._client = _client(seat.bus)
        # Who is silent and for how long is the poller's to judge: pymodbus must not count it as well.
        self._client.set_max_no_responses(NEVER)
        self._client.transaction.count_until_disconnect = NEVER

    def read(self, unit: str, span: Span) -> list[int]:
        """Registers of one block."""
        if not self._client.connect():
            raise BusDownError(f"{self._bus.url} cannot be opened")
        ask = self._client.read_input_registers if span.table is Table.INPUT else self._client.read_holding_registers
        try:
            answer = ask(span.address, count=span.count, device_id=int(unit))
        except ConnectionException as error:
            self.close()
            raise NoAnswerError(f"unit {unit}: {error.string}") from None
        except ModbusException as error:
            if not isinstance(self._client, SerialLineClient):
                self.close()
            raise NoAnswerError(f"unit {unit}: {error.string}") from None
        except OSError as error:  # pymodbus lets a reset by the device through
            self.close()
            raise NoAnswerError(f"unit {unit}: {error.strerror}") from None
        if answer.isError():
            code = answer.exception_code
            kind = NoAnswerError if code in GATEWAY_EXCEPTIONS else DriverError
            raise kind(f"unit {unit}: exception {code} for {span.table} {span.address}+{span.count}")
        if len(answer.registers) != span.count:
            raise NoAnswerError(f"unit {unit}: {len(answer.registers)} of {span.count} registers came")
        return list(answer.registers)

    def close(self) -> None:
        """Let the line go."""
        self._client.close()  # type: ignore[no-untyped-call]


def _client(bus: Bus) -> ModbusBaseSyncClient:
    url = urlsplit(bus.url)
    if url.scheme == "modbus+rtu":
        return _serial_client(bus)
    try:
        host, port = url.hostname or "", url.port or 502
    except ValueError:
        host, port = "", 0
    if not host:
        raise ConfigError(f"bus {bus.id}: '{bus.url}' names no host (allowed: {url.scheme}://host:port)")
    framer = FramerType.RTU if url.scheme == "modbus+rtu-over-tcp" else FramerType.SOCKET
    return ModbusTcpClient(host, port=port, framer=framer, timeout=bus.timeout_s, retries=0)


def _serial_client(bus: Bus) -> SerialLineClient:
    url = urlsplit(bus.url)
    options = {"baud": "9600", "parity": "N", "stop": "1"}
    given = {key: values[-1] for key, values in parse_qs(url.query).items()}
    whole = options | given
    if not url.path or given.keys() - options or whole["parity"] not in set("NEO") or whole["stop"] not in set("12"):
        raise ConfigError(
            f"bus {bus.id}: '{bus.url}' is no serial line (allowed: modbus+rtu:///dev/ttyUSB0?baud=9600&parity=N|E|O&stop=1|2)"
        )
    if not whole["baud"].isdecimal():
        raise ConfigError(f"bus {bus.id}: baud '{whole['baud']}' is no number")
    return SerialLineClient(
        url.path,
        baudrate=int(whole["baud"]),
        parity=whole["parity"],
        stopbits=int(whole["stop"]),
        timeout=bus.timeout_s,
    )

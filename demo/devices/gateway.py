"""A Modbus TCP gateway: one port, several units behind it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from demo.devices.unit import Unit
    from facility.protocols.lines import NetworkLine


class Gateway:
    """Answers at the address of a ``modbus+tcp://`` or ``modbus+rtu-over-tcp://`` bus."""

    def __init__(self, line: NetworkLine, units: Sequence[Unit], clock: Callable[[], int]) -> None:
        """Nothing listens before ``open``."""
        self._address = (line.host, line.port)
        self._framer = FramerType.RTU if line.has_rtu_frames else FramerType.SOCKET
        self._devices = [_nobody(), *(_device(unit, clock) for unit in units)]
        self._server: ModbusTcpServer | None = None

    async def open(self) -> None:
        """Listen. Raises ``ConfigError`` if the port is in use."""
        self._server = ModbusTcpServer(self._devices, framer=self._framer, address=self._address)
        try:
            await self._server.serve_forever(background=True)
        except RuntimeError:
            host, port = self._address
            raise ConfigError(f"the demo's gateway cannot listen on {host}:{port}; is the port in use?") from None

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]


def _nobody() -> SimDevice:
    """Stands for every address without a unit (pymodbus: id 0)."""
    everything = SimData(0, count=65536, values=0, datatype=DataType.REGISTERS)
    return SimDevice(0, simdata=[everything], action=_no_response)


async def _no_response(*_: object) -> ExcCodes:
    return ExcCodes.GATEWAY_NO_RESPONSE


def _device(unit: Unit, clock: Callable[[], int]) -> SimDevice:
    block = SimData(unit.first, count=unit.count, values=0, datatype=DataType.REGISTERS)
    return SimDevice(unit.address, simdata=[block], action=partial(_refresh, unit, clock))


async def _refresh(
    unit: Unit,
    clock: Callable[[], int],
    _function_code: int,
    _start: int,
    _address: int,
    _count: int,
    registers: list[int],
    wanted: list[int] | list[bool] | None,
) -> ExcCodes | None:
    """Bring all registers up to now before they are read; a silent unit is reported as a gateway does."""
    if wanted is not None:
        return ExcCodes.ILLEGAL_FUNCTION
    now_ms = clock()
    if not unit.answers(now_ms):
        return ExcCodes.GATEWAY_NO_RESPONSE
    registers[: unit.count] = unit.registers(now_ms)
    return None

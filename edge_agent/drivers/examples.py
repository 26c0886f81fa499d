"""Whether the examples of a profile decode to the values that it states, as its devices would be read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_agent.drivers.bacnet.driver import bacnet_example
from edge_agent.drivers.framed.values import cjt188_example, dlt645_example
from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.mbus.telegrams import records_of, telegrams, value_of
from edge_agent.drivers.modbus.registers import decode_point, is_held
from edge_agent.drivers.sparkplug.values import sparkplug_example
from facility.errors import ConfigError, DriverError, Problem
from facility.protocols.bacnet import BacnetProfile
from facility.protocols.cjt188 import Cjt188Profile
from facility.protocols.dlt645 import Dlt645Profile
from facility.protocols.framed import FrameExample
from facility.protocols.http_json import HttpJsonProfile
from facility.protocols.json_values import JsonExample
from facility.protocols.mbus import MbusProfile
from facility.protocols.modbus.profile import ModbusProfile, RegisterExample, RegisterTable
from facility.protocols.mqtt_json import MqttJsonProfile
from facility.protocols.sparkplug import SparkplugProfile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from facility.profile import DeviceProfile, ProfileExample

NEAR = 1e-6
"""Relative: a register of 32 bits holds no more."""


def decode_example(
    profile: DeviceProfile, example: ProfileExample, unread: dict[str, str] | None = None
) -> Mapping[str, float]:
    """What an example says, by ``quantity/channel``. Raises ``DriverError`` where it cannot be read.

    ``unread`` is told why a value that stands there is none, where the protocol knows.
    """
    if isinstance(profile, ModbusProfile) and isinstance(example, RegisterExample):
        return _of_registers(profile, example)
    if isinstance(profile, MqttJsonProfile | HttpJsonProfile) and isinstance(example, JsonExample):
        payload = example.payload.encode("utf-8", "surrogatepass")
        return decode_json(profile.points, example.topic, payload, unread=unread)
    if isinstance(example, FrameExample):
        return _of_frame(profile, example.frame, unread)
    raise TypeError(f"no decoder for {type(profile).__name__}")


def _of_frame(profile: DeviceProfile, frame: bytes, unread: dict[str, str] | None) -> Mapping[str, float]:
    if isinstance(profile, MbusProfile):
        return _of_telegram(profile, frame, unread)
    if isinstance(profile, Dlt645Profile):
        return dlt645_example(profile, frame)
    if isinstance(profile, Cjt188Profile):
        return cjt188_example(profile, frame)
    if isinstance(profile, BacnetProfile):
        return bacnet_example(profile, frame)
    if isinstance(profile, SparkplugProfile):
        return sparkplug_example(profile, frame)
    raise TypeError(f"no decoder for {type(profile).__name__}")


def check_examples(profiles: Iterable[DeviceProfile]) -> None:
    """Raise ``ConfigError`` with every example that does not decode to what its profile states."""
    problems = [
        Problem(f"device_profiles/{profile.id}.yaml", f"example {i} ({example.note}) {fault}", "what its source shows")
        for profile in profiles
        for i, example in enumerate(profile.examples, 1)
        if (fault := _fault(profile, example))
    ]
    if problems:
        raise ConfigError(*problems)


def _fault(profile: DeviceProfile, example: ProfileExample) -> str:
    unread: dict[str, str] = {}
    try:
        said = decode_example(profile, example, unread)
    except DriverError as error:
        return f"cannot be read: {error}"
    names = {**said, **example.expect}
    wrong = [name for name in names if not _is_near(said.get(name), example.expect.get(name))]
    shown = (
        f"{name} is {said.get(name, _why_not(unread.get(name)))}, expected {example.expect.get(name, 'nothing')}"
        for name in wrong
    )
    return f"decodes to something else: {'; '.join(shown)}" if wrong else ""


def _why_not(unread: str | None) -> str:
    return f"not said ({unread})" if unread else "not said"


def _is_near(said: float | None, expected: float | None) -> bool:
    return said is not None and expected is not None and math.isclose(said, expected, rel_tol=NEAR, abs_tol=1e-12)


def _of_registers(profile: ModbusProfile, example: RegisterExample) -> Mapping[str, float]:
    """The values of the points of which the example holds all words."""
    flat = {first + i: word for first, words in example.registers.items() for i, word in enumerate(words)}
    tables = [example.table] if example.table else list(RegisterTable)
    held = {(table, address): word for address, word in flat.items() for table in tables}
    said = {point.name: decode_point(point, held) for point in profile.points if is_held(point, held)}
    return {name: value for name, value in said.items() if value is not None}


def _of_telegram(profile: MbusProfile, frame: bytes, unread: dict[str, str] | None) -> Mapping[str, float]:
    """The values of the records that the telegram has."""
    found = next(iter(telegrams(frame)), None)
    if found is None:
        raise DriverError("is no telegram with a right length and checksum")
    records, said = records_of(found.frame), {}
    for point in profile.points:
        try:
            said[point.name] = value_of(point, records)
        except DriverError as error:
            if unread is not None:
                unread[point.name] = str(error)
    return {name: value for name, value in said.items() if value is not None}

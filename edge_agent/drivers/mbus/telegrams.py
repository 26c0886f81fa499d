"""Frames of the link layer, and the records of a telegram as numbers in our units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymbusparser

from facility.errors import DriverError
from facility.profile import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.protocols.mbus import RecordPoint

ACK = b"\xe5"
SHORT, LONG, END = 0x10, 0x68, 0x16
SND_NKE, SND_UD, REQ_UD2 = 0x40, 0x53, 0x7B
SELECT = 0x52
SELECTED = 0xFD
LONG_HEAD = 4

NAMES = {
    "energy": "Energy",
    "volume": "Volume",
    "power": "Power",
    "volume_flow": "Volume flow",
    "flow_temperature": "Flow temperature",
    "return_temperature": "Return temperature",
}
"""Our word for a record → what pymbusparser calls it."""

FACTORS = {
    "W.h": 1e-3,
    "J": 1 / 3.6e6,
    "m3": 1.0,
    "W": 1.0,
    "J.h-1": 1 / 3600,
    "m3.h-1": 1e3,
    "Cel": 1.0,
}
"""What turns its units into ours: kWh, kWh, m3, W, W, L/h, degrees Celsius."""

INSTANTANEOUS = "Instantaneous value"


@dataclass(frozen=True, slots=True)
class Telegram:
    """A sound answer: who sent it (primary address, and eight bytes of identity after a long head), and all of it."""

    primary: int
    identity: bytes
    frame: bytes


def short_frame(control: int, primary: int) -> bytes:
    """10, control, address, checksum, 16."""
    return bytes((SHORT, control, primary, (control + primary) & 0xFF, END))


def selection(secondary: bytes) -> bytes:
    """Select the meter with these eight bytes; it then answers at address 253."""
    body = bytes((SND_UD, SELECTED, SELECT)) + secondary
    return bytes((LONG, len(body), len(body), LONG)) + body + bytes((sum(body) & 0xFF, END))


def telegrams(heard: bytes) -> Iterator[Telegram]:
    """Every sound long frame among what came."""
    at = heard.find(LONG)
    while at >= 0:
        end = at + LONG_HEAD + heard[at + 1] if at + LONG_HEAD <= len(heard) else len(heard)
        body = heard[at + LONG_HEAD : end]
        is_framed = end + 1 < len(heard) and heard[at + 1] == heard[at + 2] and heard[at + 3] == LONG
        if is_framed and heard[end + 1] == END and sum(body) & 0xFF == heard[end] and len(body) > LONG_HEAD:
            yield Telegram(body[1], body[3:11], heard[at : end + 2])
            at = heard.find(LONG, end + 2)
        else:
            at = heard.find(LONG, at + 1)


def records_of(frame: bytes) -> list[Mapping[str, Any]]:
    """The records of a telegram that are values of this instant. Raises ``DriverError`` where it cannot be read."""
    try:
        said = pymbusparser.parse(frame)
    except ValueError as error:
        raise DriverError(f"the telegram cannot be read: {error}") from None
    return [record for record in said.get("records", []) if record.get("function") == INSTANTANEOUS]


def value_of(point: RecordPoint, records: list[Mapping[str, Any]]) -> float | None:
    """The value in the quantity's unit, None where the meter has none.

    Raises ``DriverError`` where the telegram has no such record, or one in a unit that we do not know.
    """
    which = (point.storage, point.tariff, point.subunit)
    alike = [
        record for record in records if record.get("quantities") == [NAMES[point.record]] and _which(record) == which
    ]
    if len(alike) <= point.nth:
        raise DriverError(f"the telegram has no such {point.record.replace('_', ' ')} record")
    record = alike[point.nth]
    value, unit = record.get("value", {}), record.get("unit", "")
    if value.get("kind") != "decimal":
        return None
    if unit not in FACTORS:
        raise DriverError(f"the {point.record.replace('_', ' ')} record is in {unit or 'no unit'}")
    return scaled(float(value["value"]) * FACTORS[unit], point.scale)


def _which(record: Mapping[str, Any]) -> tuple[object, object, object]:
    return record.get("storage_number"), record.get("tariff"), record.get("subunit")

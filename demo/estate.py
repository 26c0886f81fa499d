"""The demo's estate file with the addresses of this machine: where each bus is and how holidays move."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from ruamel.yaml import YAML

from demo.axis import CLOSURES, FIRST_RECORDED_DAY
from demo.upkeep import METER, swap_of
from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from demo.shift import Shift

FILE = "site.yaml"
AGENT = "edge-1"
LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the demo's devices answer: the gateway's port, the serial line's URL and the radio devices' broker."""

    gateway: str
    rs485: str
    radio: str

    @classmethod
    def on_this_machine(cls, folder: Path, *, gateway_port: int, line_port: int, broker: str) -> Addresses:
        """Loopback addresses. The serial line is a PTY linked in ``folder`` or, without PTYs, RTU over TCP."""
        line = f"modbus+rtu://{folder.resolve() / 'rs485'}?baud=9600&parity=N"
        if not hasattr(os, "openpty"):
            line = f"modbus+rtu-over-tcp://127.0.0.1:{line_port}"
        return cls(f"modbus+tcp://127.0.0.1:{gateway_port}", line, broker)


def write_site(folder: Path, shift: Shift, addresses: Addresses) -> Path:
    """Write ``<folder>/site.yaml`` for this machine and return its path. Raises ``ConfigError`` if it cannot."""
    yaml = YAML(typ="rt")
    yaml.width = LONGEST_LINE
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load(shipped_site())
    _fill_holidays(tree["site"]["holidays"], shift)
    _fill_swap(tree["meters"], shift)
    text, file = io.StringIO(), folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill_buses(tree, addresses, folder)
        yaml.dump(tree, text)
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
    return file


def shipped_site() -> str:
    """The estate as shipped, with placeholders for addresses."""
    return (files("demo") / FILE).read_text(encoding="utf-8")


def _fill_buses(tree: Any, addresses: Addresses, folder: Path) -> None:
    for bus in tree["agents"][0]["buses"]:
        bus["url"] = _without_password(getattr(addresses, bus["id"]), folder.resolve() / f"{bus['id']}.password")


def _without_password(url: str, file: Path) -> str:
    """The URL with its password, if it has one, in a file that only we may read."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(unquote(parts.password), encoding="utf-8")
    return f"{parts.scheme}://{parts.username}@{parts.netloc.rpartition('@')[2]}?password_file={quote(str(file))}"


def _fill_swap(meters: Any, shift: Shift) -> None:
    first, second = next(meter for meter in meters if meter["id"] == METER)["installations"]
    swap = swap_of(shift)
    first["since"] = shift.shown_day(FIRST_RECORDED_DAY)
    second["since"] = swap.at.isoformat()
    second["closing"], second["opening"] = swap.closing, swap.opening


def _fill_holidays(holidays: Any, shift: Shift) -> None:
    holidays["shift_days"] = shift.days
    holidays["closures"] = [
        {"first": shift.shown_day(first), "last": shift.shown_day(last), "name": "closed over the year's end"}
        for first, last in CLOSURES
    ]

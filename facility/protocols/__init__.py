"""Every protocol that a device may speak: its points, its profile files, its buses and the addresses on them.

Here stands what can be said without connecting; how it is spoken is ``edge_agent/drivers/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.protocols.bacnet import BACNET
from facility.protocols.cjt188 import CJT188
from facility.protocols.dlt645 import DLT645
from facility.protocols.http_json import HTTP_JSON
from facility.protocols.mbus import MBUS
from facility.protocols.modbus import MODBUS
from facility.protocols.mqtt_json import MQTT_JSON
from facility.protocols.sparkplug import SPARKPLUG

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.profile import DeviceProfile
    from facility.protocols.rules import ProtocolRules

PROTOCOLS: dict[str, ProtocolRules] = {
    "modbus": MODBUS,
    "mqtt_json": MQTT_JSON,
    "dlt645": DLT645,
    "cjt188": CJT188,
    "mbus": MBUS,
    "http_json": HTTP_JSON,
    "bacnet": BACNET,
    "sparkplug": SPARKPLUG,
}
"""By the word under ``protocol`` in a profile."""

SCHEMES = {scheme: word for word, rules in PROTOCOLS.items() for scheme in rules.schemes}
"""The protocol of a bus by the scheme of its URL."""


def protocol_of(bus: Bus) -> str:
    """The protocol that is spoken on a bus. Raises ``ConfigError`` for a scheme that none has."""
    scheme = bus.scheme
    if scheme not in SCHEMES:
        raise ConfigError(Problem(f"bus {bus.id}", f"unknown protocol '{scheme}'", ", ".join(SCHEMES)))
    return SCHEMES[scheme]


def check_bus(bus: Bus) -> object:
    """The line that a bus's URL names. Raises ``ConfigError`` for one that names none of its protocol."""
    return PROTOCOLS[protocol_of(bus)].check_bus(bus)


def check_protocol(bus: Bus, profile: DeviceProfile) -> None:
    """Raise ``ConfigError`` if a device of this model cannot be on the bus."""
    if protocol_of(bus) != profile.protocol:
        allowed = ", ".join(f"{scheme}://" for scheme in PROTOCOLS[profile.protocol].schemes)
        what = f"{profile.id} speaks {profile.protocol}, which is not spoken on a {bus.scheme} bus"
        raise ConfigError(Problem(f"bus {bus.id}", what, allowed))


def has_named_units(bus: Bus) -> bool:
    """Whether the addresses of devices on a bus are names that people give."""
    return PROTOCOLS[protocol_of(bus)].units == "names"


def check_unit(bus: Bus, unit: str) -> object:
    """The address that a unit stands for. Raises ``ConfigError`` for one that no device on the bus can have."""
    return PROTOCOLS[protocol_of(bus)].check_unit(bus, unit)

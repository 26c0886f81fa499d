"""What each protocol has to say for itself, so that a site can be checked without speaking to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from facility.catalogue import Bus
    from facility.protocols.document import ProfileDocument


@dataclass(frozen=True, slots=True)
class ProtocolRules:
    """One protocol: the URL schemes of its buses, its profile files, and what may stand in a site.

    ``check_bus`` and ``check_unit`` raise ``ConfigError`` for a URL that names no bus and for an address that no device
    on such a bus can have. They read them by the very functions that the agent's driver reads them by.
    """

    schemes: tuple[str, ...]
    document: type[ProfileDocument]
    check_bus: Callable[[Bus], object]
    check_unit: Callable[[Bus, str], object]
    units: Literal["addresses", "names"] = "addresses"
    """Names are given by people, and older versions let more of them pass than a broker does."""

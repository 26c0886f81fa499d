"""Couriers by name, each an address of apprise in the settings, where alone its password or key stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analytics.letters.folder_courier import SCHEME, folder_courier_at
from facility.errors import ConfigError, Problem
from process.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.letters.courier import Courier

WHERE = f"{PREFIX}NOTIFY"
ALLOWED = "NAME=ADDRESS, several with blanks between, such as mail=mailtos://user:password@smtp.example.org"
KNOWN = f"an address that apprise knows, or {SCHEME}:///A/FOLDER, where letters stay on this machine"

_PAIR = re.compile(r"([a-z][a-z0-9_-]{0,30})=(\S+)")


def read_couriers(text: str) -> Mapping[str, Courier]:
    """The couriers that a setting names. Raises ``ConfigError``, in which no address is repeated."""
    found: dict[str, Courier] = {}
    for pair in text.split():
        match = _PAIR.fullmatch(pair)
        if match is None or match[1] in found:
            name = pair.partition("=")[0] if match else "a part of it"
            raise ConfigError(Problem(WHERE, f"{name} cannot be used", ALLOWED))
        found[match[1]] = _courier(match[1], match[2])
    return found


def _courier(name: str, url: str) -> Courier:
    found = folder_courier_at(url) if url.startswith(f"{SCHEME}:") else _apprise_courier(url)
    if found is None:
        raise ConfigError(Problem(WHERE, f"the address of '{name}' cannot be used", KNOWN))
    return found


def _apprise_courier(url: str) -> Courier | None:
    try:
        from analytics.letters.apprise_courier import courier_at  # noqa: PLC0415 - most servers name none
    except ModuleNotFoundError as error:
        needs = f"needs the Python package {error.name} (Meterhouse's extra 'notify')"
        raise ConfigError(Problem(WHERE, needs)) from None
    return courier_at(url)

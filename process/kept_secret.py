"""Secrets that are named and not written: a file that only we may read, or a variable of the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress, SecretPlace

OTHERS = stat.S_IRWXG | stat.S_IRWXO
MOST_BYTES = 4096


def password_of(address: BrokerAddress) -> str:
    """The password for a broker, or an empty text where none is needed. Raises ``ConfigError`` if it is not there."""
    return kept_secret(address.password_place) if address.password_place else address.password


def kept_secret(place: SecretPlace) -> str:
    """The secret that is kept there; the end of its line is none of it."""
    if place.variable:
        said, where = os.environ.get(place.variable, ""), f"the variable {place.variable}"
    else:
        said, where = _read(Path(place.file)), f"the file {place.file}"
    if not said:
        raise ConfigError(f"{where} holds no password")
    return said


def _read(file: Path) -> str:
    try:
        mode = file.stat().st_mode
        if mode & OTHERS:
            raise ConfigError(f"others than its owner may read the password in {file}: chmod 600 {file}")
        with file.open(encoding="utf-8") as opened:
            return opened.read(MOST_BYTES).rstrip("\r\n")
    except OSError as error:
        raise ConfigError(f"the password in {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the password in {file} is no text in UTF-8") from None

"""One world for all tests of the demo: the estate as of a fixed day, with its profiles."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from demo.estate import Addresses, write_site
from demo.shift import open_shift
from demo.world import World
from device_profiles import load_profiles
from stores.site_file import read_site

if TYPE_CHECKING:
    from pathlib import Path

    from demo.shift import Shift

AS_OF = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 20, 7, 345000, tzinfo=UTC)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    shift = open_shift(folder, NOW)
    write_site(
        folder,
        shift,
        Addresses.on_this_machine(folder, gateway_port=5020, line_port=5021, broker="mqtt://127.0.0.1:1883"),
    )
    return folder


@pytest.fixture(scope="session")
def shift(folder) -> Shift:
    return open_shift(folder, NOW)


@pytest.fixture(scope="session")
def world(folder, shift) -> World:
    profiles = load_profiles()
    return World(shift, read_site(folder / "site.yaml", profiles), profiles)


@pytest.fixture(scope="session")
def now_ms() -> int:
    return round(NOW.timestamp() * 1000)

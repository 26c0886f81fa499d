"""Facts about real devices, one YAML file per model, and the loader that reads them all."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from facility.documents.profile import load_profile
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.profile import DeviceProfile


@cache
def load_profiles() -> Mapping[str, DeviceProfile]:
    """Every shipped profile by its id ``maker/model``. Raises ``ConfigError`` if a file is wrong."""
    profiles: dict[str, DeviceProfile] = {}
    makers = sorted((entry for entry in files(__name__).iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    for maker in makers:
        for file in sorted(maker.iterdir(), key=lambda entry: entry.name):
            if not file.name.endswith(".yaml"):
                continue
            place = f"device_profiles/{maker.name}/{file.name}"
            profile = load_profile(file.read_text(encoding="utf-8"), place)
            if profile.id != f"{maker.name}/{file.name.removesuffix('.yaml')}":
                raise ConfigError(Problem(f"{place}:1", f"profile is '{profile.id}'", "the path without .yaml"))
            profiles[profile.id] = profile
    return profiles

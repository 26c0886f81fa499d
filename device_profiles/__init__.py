"""Facts about real devices, one YAML file per model, and the loader that reads them all."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from facility.documents.profile import load_profile
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from facility.profile import DeviceProfile


def load_profiles(own: Path | None = None) -> Mapping[str, DeviceProfile]:
    """Every profile by its id ``maker/model``: those that are shipped, and those of a site's ``own`` folder.

    Raises ``ConfigError`` if a file is wrong, or has the id of one that is shipped.
    """
    shipped = _shipped()
    if own is None:
        return shipped
    if not own.is_dir():
        raise ConfigError(Problem(str(own), "is no folder of profiles", "a folder with maker/model.yaml in it"))
    added = dict(_read(own, str(own)))
    if twice := sorted(shipped.keys() & added.keys()):
        raise ConfigError(*(Problem(f"{own}/{id_}.yaml", "is shipped already", "another id") for id_ in twice))
    return {**shipped, **added}


def own_profiles(own: Path, ids: Iterable[str]) -> dict[str, str]:
    """The texts of those of the ``ids`` that a site's ``own`` folder has, to be brought to another machine."""
    found = {id_: own / f"{id_}.yaml" for id_ in sorted(ids)}
    return {id_: file.read_text(encoding="utf-8") for id_, file in found.items() if file.is_file()}


@cache
def _shipped() -> Mapping[str, DeviceProfile]:
    return dict(_read(files(__name__), "device_profiles"))


def _read(folder: Traversable, shown: str) -> Iterator[tuple[str, DeviceProfile]]:
    makers = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    for maker in makers:
        for file in sorted(maker.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".yaml"):
                place = f"{shown}/{maker.name}/{file.name}"
                profile = read_profile(file, place)
                if profile.id != f"{maker.name}/{file.name.removesuffix('.yaml')}":
                    raise ConfigError(Problem(f"{place}:1", f"profile is '{profile.id}'", "the path without .yaml"))
                yield profile.id, profile


def read_profile(file: Traversable, place: str) -> DeviceProfile:
    """One profile file, called ``place`` in what is wrong with it. Raises ``ConfigError``."""
    try:
        return load_profile(file.read_text(encoding="utf-8"), place)
    except OSError as error:
        raise ConfigError(Problem(place, f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem(place, f"is not UTF-8 text (byte {error.start})")) from None

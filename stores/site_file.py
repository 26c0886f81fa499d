"""Reads an estate's document from a folder: site.yaml, and the notices of moved workdays beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.documents.notice import notice_folder, with_notices
from facility.documents.site import load_site
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from facility.catalogue import Catalogue
    from facility.profile import DeviceProfile


def read_site(file: Path, profiles: Mapping[str, DeviceProfile]) -> Catalogue:
    """The estate in ``file``, with the notices in ``calendar/<country>/<year>.yaml`` beside it.

    Raises ``ConfigError`` with file, line and what is allowed.
    """
    estate = load_site(_text_of(file), str(file), profiles, reader="registry")
    beside = (file.parent / notice_folder(estate)).glob("*.yaml")
    return with_notices(estate, {str(one): _text_of(one) for one in beside})


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(Problem(str(file), f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem(str(file), f"is not UTF-8 text (byte {error.start})")) from None

"""Files of a server that are whole or not there: written beside their place, then put there in one step."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = 0o600


def write_whole(path: Path, content: str | bytes, mode: int = PRIVATE) -> None:
    """Write a file that only its owner may read, unless ``mode`` says otherwise. Raises ``ConfigError``."""
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None


def write_if_new(path: Path, content: str) -> None:
    """The same where the file does not say so already: who watches it sees only what has changed."""
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        write_whole(path, content)

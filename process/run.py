"""How every process begins and ends: its files are private, it leaves when told to, its exit code says why it ended."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, TypeVar

import structlog

from facility.errors import ConfigError, Unavailable
from process.logging import begin_log
from process.privacy import check_private, keep_files_private
from process.settings import ProcessSettings, read_settings
from process.threads import keep_arithmetic_in_one_thread

if TYPE_CHECKING:
    from collections.abc import Callable

WELL_EXIT = 0
BROKEN_EXIT = 1
CONFIG_EXIT = 2
"""A person must change something: starting again cannot help."""

log = structlog.get_logger()

SettingsT = TypeVar("SettingsT", bound=ProcessSettings)


def run(
    settings: type[SettingsT],
    work: Callable[[SettingsT, Event], bool],
    *,
    is_broken_off: bool = False,
) -> int:
    """Read the settings, ``work`` until SIGTERM or SIGINT, and return the exit code.

    A signal sets the event that ``work`` is given; where ``is_broken_off``, work is broken off at once as well: for
    what may be broken off anywhere. ``work`` returns False where a part of it has died.
    """
    keep_files_private()
    keep_arithmetic_in_one_thread()
    stop = Event()

    def leave(*_: object) -> None:
        stop.set()
        if is_broken_off:
            sys.exit(WELL_EXIT)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    try:
        read = read_settings(settings)
        if isinstance(data := getattr(read, "data", None), Path):
            check_private(data)
        begin_log(read)
        return WELL_EXIT if work(read, stop) else BROKEN_EXIT
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return CONFIG_EXIT
    except Unavailable as error:  # at the start, for example on a full disk: whoever started us tries again
        sys.stderr.write(f"{error}\n")
        return BROKEN_EXIT
    except Exception:
        log.exception("process_broke")
        return BROKEN_EXIT

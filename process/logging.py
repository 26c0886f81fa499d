"""One form for every log line: logfmt, time, level and event first, then what was bound around it; bounded in all."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from process.log_file import MOST_BYTES, LogStream
from process.throttle import Throttle, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from process.settings import LogLevel, ProcessSettings

FIRST_KEYS = ["timestamp", "level", "event"]

SILENT = ("pymodbus",)
"""Libraries that would tell again and again what we tell once."""


def begin_log(settings: ProcessSettings) -> None:
    """Log as the settings say. Raises ``ConfigError`` where their file cannot be written."""
    set_up_logging(settings.log_level, settings.log_file, round(settings.log_mib * 2**20))


def set_up_logging(level: LogLevel, file: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
    """Log ours from ``level`` on, and what libraries say from warnings on, in the same form.

    It goes to standard error, or to a ``file`` that is begun anew beyond ``most_bytes``. Raises ``ConfigError`` where
    that file cannot be written.
    """
    stream = cast("TextIO", LogStream(file, most_bytes))
    structlog.configure(
        processors=[*_steps(), _throttle.step, shorten, _render()],
        logger_factory=structlog.WriteLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    libraries = logging.StreamHandler(stream)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_steps()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shorten, _render()],
        )
    )
    libraries.addFilter(_throttle.filter)
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)
    logging.captureWarnings(capture=True)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    threading.excepthook = _thread_broke
    sys.unraisablehook = _left_behind


def _thread_broke(what: threading.ExceptHookArgs) -> None:
    """Python would write a traceback past us, without form or bound."""
    if what.exc_type is not SystemExit:
        error = (what.exc_type, what.exc_value, what.exc_traceback)
        structlog.get_logger().error("thread_broke", thread=getattr(what.thread, "name", ""), exc_info=error)


def _left_behind(what: sys.UnraisableHookArgs) -> None:
    """An error where nobody could be told of it, as when an object is tidied away."""
    error = (what.exc_type, what.exc_value, what.exc_traceback)
    structlog.get_logger().error("error_left_behind", at=repr(what.object), exc_info=error)


_throttle = Throttle()
"""One for all lines of the process, ours and those of libraries."""


def _steps() -> list[Callable[..., Any]]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _render() -> structlog.processors.LogfmtRenderer:
    return structlog.processors.LogfmtRenderer(key_order=FIRST_KEYS, bool_as_flag=False)

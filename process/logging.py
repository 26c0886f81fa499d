"""One form for every log line: logfmt on standard error, time, level and event first, then what was bound around it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

from process.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from process.settings import LogLevel

FIRST_KEYS = ["timestamp", "level", "event"]

SILENT = ("pymodbus",)
"""Libraries that would tell again and again what we tell once."""


def set_up_logging(level: LogLevel) -> None:
    """Log ours from ``level`` on, and what libraries say from warnings on, in the same form."""
    structlog.configure(
        processors=[*_steps(), _throttle.step, _render()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_steps()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render()],
        )
    )
    libraries.addFilter(_throttle.filter)
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)
    logging.captureWarnings(capture=True)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


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

"""Looks through the audit trail at the start and once a day, beside everything else that analytics does."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError, StoreUnavailable
from facility.system_alarm import SystemAlarm

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event
    from typing import Self

    from facility.status import ProcessStatus
    from stores.records.audit import Audit

EVERY_S, AGAIN_S = 86_400.0, 60.0

log = structlog.get_logger()


class AuditWatch:
    """A thread of its own: a look at a long trail takes its time. Use as a context manager."""

    def __init__(self, audit: Audit, stop: Event, every_s: float = EVERY_S, again_s: float = AGAIN_S) -> None:
        """``again_s`` after a look that could not be taken there is another."""
        self._audit, self._stop, self._every_s, self._again_s = audit, stop, every_s, again_s
        self._fault = ""
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def beside(self, status: Callable[[], ProcessStatus]) -> Callable[[], ProcessStatus]:
        """The status of the process with the alarm of the trail, while there is one."""

        def both() -> ProcessStatus:
            own, fault = status(), self._fault
            return replace(own, alarms={**own.alarms, SystemAlarm.AUDIT_BROKEN: fault}) if fault else own

        return both

    def _run(self) -> None:
        while not self._stop.wait(self._every_s if self._look() else self._again_s):
            pass

    def _look(self) -> bool:
        """Whether the trail could be looked at."""
        try:
            look = self._audit.look_through()
        except StoreUnavailable as error:
            log.warning("audit_not_looked_through", error=str(error))
            return False
        except ConfigError as error:
            self._fault = str(error)
            return False
        if look.fault and look.fault != self._fault:
            log.error("audit_broken", fault=look.fault, right=look.entries)
        self._fault = look.fault
        return True

    def __enter__(self) -> Self:
        """Begin with a look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """It ends with the process: it holds nothing that must be written."""

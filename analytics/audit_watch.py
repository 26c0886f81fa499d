"""Looks through the audit trail at the start and once a day, and ships a signed checkpoint of it each hour."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from facility.errors import ConfigError, StoreUnavailable
from facility.system_alarm import SystemAlarm
from stores.records.audit_checkpoint import signed_checkpoint
from stores.records.audit_shipping import ship

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event
    from typing import Self

    from facility.status import ProcessStatus
    from stores.records.audit import Audit

EVERY_S, AGAIN_S, SHIP_S = 86_400.0, 60.0, 3600.0

log = structlog.get_logger()


class AuditWatch:
    """A thread of its own: a look at a long trail takes its time. Use as a context manager."""

    def __init__(
        self,
        audit: Audit,
        stop: Event,
        place: str = "",
        every_s: float = EVERY_S,
        again_s: float = AGAIN_S,
        ship_s: float = SHIP_S,
    ) -> None:
        """``again_s`` after a look that could not be taken there is another; checkpoints go to ``place``, if any."""
        self._audit, self._stop, self._place = audit, stop, place
        self._every_s, self._again_s, self._ship_s = every_s, again_s, min(ship_s, every_s)
        self._fault, self._unshipped, self._shipped = "", "", 0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def beside(self, status: Callable[[], ProcessStatus]) -> Callable[[], ProcessStatus]:
        """The status of the process with the alarms of the trail, while there are any."""

        def both() -> ProcessStatus:
            own = status()
            found = {SystemAlarm.AUDIT_BROKEN: self._fault, SystemAlarm.AUDIT_NOT_SHIPPED: self._unshipped}
            alarms: dict[str, str] = {alarm: words for alarm, words in found.items() if words}
            return replace(own, alarms={**own.alarms, **alarms}) if alarms else own

        return both

    def _run(self) -> None:
        """A trail that is not whole is signed as well: what came before it is signed already."""
        while True:
            left_s = self._every_s if self._look() else self._again_s
            while left_s > 0:
                self._ship()
                if self._stop.wait(min(left_s, self._ship_s)):
                    return
                left_s -= self._ship_s

    def _ship(self) -> None:
        """One more checkpoint, where the trail has grown."""
        try:
            end = self._audit.end() if self._place else None
            if end and end[1].seq != self._shipped:
                ship(signed_checkpoint(*end, datetime.now(UTC)), self._place)
                self._shipped = end[1].seq
        except (StoreUnavailable, ConfigError) as error:
            if not self._unshipped:
                log.warning("audit_not_shipped", error=str(error))
            self._unshipped = str(error)
        else:
            self._unshipped = ""

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

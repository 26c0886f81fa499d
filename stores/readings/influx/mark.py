"""The mark that says whose database it is and how it is laid out: read before anything else, kept from expiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.local_time import HOUR_MS
from facility.errors import Rejected, StoreUnavailable
from stores.readings.influx.layout import DAILY, source
from stores.readings.influx.line_protocol import quoted_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from stores.readings.influx.wire import InfluxWire

SCHEMA = 1
RENEWED_AFTER_MS = 12 * HOUR_MS
"""It stands among the days, which may be kept for a single one."""

_MARK = "meterhouse"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a database says of itself, and since when (ms)."""

    schema: int
    site: str
    t_ms: int


class MarkKeeper:
    """What one process knows of the mark. Threads may share it: what two do at once is done twice."""

    def __init__(self, wire: InfluxWire, site: Callable[[], str | None], clock_ns: Callable[[], int]) -> None:
        """``site`` is asked for once: None where there is no registry, or no estate in it yet."""
        self._wire, self._ask_site, self._clock_ns = wire, site, clock_ns
        self._site: str | None = None
        self._is_known = False
        self._marked_ms = 0

    def check(self, *, again: bool = False) -> None:
        """Before anything else, once: whose database this is. One without a mark gets ours.

        The site once known holds while the registry is away. ``again`` asks anew.
        """
        if again:
            self._is_known = False
        if not self._is_known:
            if self._site is None:
                self._site = self._ask_site()
            mark = self._read()
            if mark is None and self._site is not None:
                self._write(self._site)
            self._is_known = mark is not None or self._site is not None

    def renew(self) -> None:
        """Called by whoever writes: twice a day a mark that has grown old is written again, unless it is not ours."""
        if self._site is not None and self._now_ms() - self._marked_ms >= RENEWED_AFTER_MS:
            mark = self._read()
            if mark is None or self._now_ms() - mark.t_ms >= RENEWED_AFTER_MS:
                self._write(self._site)

    def _read(self) -> Mark | None:
        mark = read_mark(self._wire)
        if mark is not None:
            check_mark(self._wire, mark, self._site)
            self._marked_ms = mark.t_ms
        return mark

    def _write(self, site: str) -> None:
        now_ms = self._now_ms()
        write_mark(self._wire, site, now_ms)
        self._marked_ms = now_ms

    def _now_ms(self) -> int:
        return self._clock_ns() // 1_000_000


def read_mark(wire: InfluxWire) -> Mark | None:
    """The newest mark, or None where nothing has been written. Raises ``StoreUnavailable``."""
    query = f'SELECT "schema", "site" FROM {source(wire, DAILY, _MARK)} ORDER BY time DESC LIMIT 1'
    for series in wire.ask_json(query):
        t_ns, schema, site = series.values[0]
        return Mark(int(schema), str(site), int(t_ns) // 1_000_000)
    return None


def write_mark(wire: InfluxWire, site: str, now_ms: int) -> None:
    """Say whose readings these are and how they are laid out. Raises ``StoreUnavailable``."""
    try:
        wire.write(DAILY, f"{_MARK} schema={SCHEMA}i,site={quoted_text(site)} {now_ms}".encode())
    except Rejected as error:  # our own line is at fault, not a reading: nothing is put into quarantine for it
        raise StoreUnavailable(f"{wire.address.place} refuses the mark that says whose it is: {error}") from None


def check_mark(wire: InfluxWire, mark: Mark, site: str | None) -> None:
    """Raise ``StoreUnavailable`` for the database of a newer Meterhouse or of another site: nothing is touched then."""
    place = wire.address.place
    if mark.schema > SCHEMA:
        raise StoreUnavailable(
            f"{place} was written by a newer Meterhouse (schema {mark.schema}, this one reads {SCHEMA})"
        )
    if site is not None and mark.site != site:
        raise StoreUnavailable(f"{place} holds the readings of site '{mark.site}', the registry is of site '{site}'")

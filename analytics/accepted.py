"""Hears what ingest has just accepted: doors and leaks are known at once, even while the store is away."""

from __future__ import annotations

from threading import Event, Lock
from typing import TYPE_CHECKING

import numpy as np
import structlog

from facility import wire
from facility.errors import Rejected
from process.line import BrokerLine
from process.mqtt import own_client_id
from stores.readings.columns import empty_series, merged
from stores.readings.port import Series

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from paho.mqtt.client import MQTTMessage

    from facility.broker_address import BrokerAddress

MOST_ROWS = 10_000
"""Rows of one point that wait for the store; the oldest go first."""

KEEPALIVE_S = 20

log = structlog.get_logger()


class JustAccepted:
    """Rows of the watched points that were accepted and are perhaps not stored yet."""

    def __init__(self, points: Collection[str]) -> None:
        self._points = frozenset(points)
        self._heard: dict[str, Series] = {}
        self._lock = Lock()
        self._fresh = Event()

    def hear(self, news: wire.Accepted) -> None:
        """Take up the rows of a message that are of a watched point."""
        if not len(news.p) == len(news.t) == len(news.x):
            return
        watched = {i: point for i, point in enumerate(news.points) if point in self._points}
        for i, point in watched.items():
            rows = [k for k, p in enumerate(news.p) if p == i]
            new = Series(
                np.array([news.t[k] for k in rows], np.int64),
                np.array([news.x[k] for k in rows]),
                np.zeros(len(rows), np.uint8),
            )
            with self._lock:
                both = merged(self._heard.get(point, empty_series()), new)
                self._heard[point] = Series(both.t_ms[-MOST_ROWS:], both.x[-MOST_ROWS:], both.q[-MOST_ROWS:])
        if watched:
            self._fresh.set()

    @property
    def is_fresh(self) -> bool:
        """Whether something was heard since ``over`` was asked last."""
        return self._fresh.is_set()

    def wait(self, most_s: float) -> None:
        """Until something is heard, ``most_s`` seconds at most."""
        self._fresh.wait(most_s)

    def forget(self, stored: Mapping[str, Series]) -> None:
        """What the store has by now need not be remembered."""
        with self._lock:
            for point, series in stored.items():
                known = self._heard.get(point)
                if known is not None and len(series) and series.t_ms[-1] >= known.t_ms[-1]:
                    del self._heard[point]

    def over(self, states: Mapping[str, Series]) -> dict[str, Series]:
        """States as stored, with what was heard of the time since; what came late is seen once it is stored."""
        self._fresh.clear()
        with self._lock:
            heard = dict(self._heard)
        nothing = empty_series()
        return {p: _added(states.get(p, nothing), heard.get(p, nothing)) for p in states.keys() | heard.keys()}


def _added(stored: Series, heard: Series) -> Series:
    if not len(stored) or not len(heard):
        return stored if len(stored) else heard
    k = int(np.searchsorted(heard.t_ms, stored.t_ms[-1], side="right"))
    return merged(stored, Series(heard.t_ms[k:], heard.x[k:], heard.q[k:]))


def listen(address: BrokerAddress, site: str, accepted: JustAccepted) -> BrokerLine:
    """Subscribe, for ever. A message that is lost is found in the store by the next sweep."""

    def subscribe() -> None:
        line.client.subscribe(wire.accepted_topic(site), 0)

    def take(message: MQTTMessage) -> None:
        try:
            accepted.hear(wire.decode(wire.Accepted, bytes(message.payload)))
        except Rejected as error:
            log.warning("accepted_refused", reason=error.reason)

    line = BrokerLine(address, own_client_id(address, "analytics"), up=subscribe, heard=take)
    line.start(KEEPALIVE_S)
    return line

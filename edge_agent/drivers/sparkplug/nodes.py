"""What one gateway has introduced: names and types behind aliases, and whether a message of it was missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.drivers.sparkplug.payload import Metric, Payload

NBIRTH, NDATA, NDEATH, DBIRTH, DDATA, DDEATH = "NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"
SEQUENCE = 256
SESSION = "bdSeq"


@dataclass(frozen=True, slots=True)
class Introduced:
    """A metric as its birth named it; ``device`` is empty for the gateway's own."""

    device: str
    name: str
    datatype: int


class GatewayNode:
    """Follows births, data and deaths. After a message was missed an alias may mean anything, so it means nothing."""

    def __init__(self) -> None:
        self._by_alias: dict[int, Introduced] = {}
        self._by_name: dict[tuple[str, str], Introduced] = {}
        self._seq: int | None = None
        self._session: float | None = None
        self.wants_birth = True
        self.is_lacking = False
        """Whether the last message had an alias that means nothing."""

    def take(self, kind: str, device: str, payload: Payload) -> Iterator[tuple[Introduced, Metric]]:
        """The metrics of a message that are known, each as it was introduced."""
        self.is_lacking = False
        if kind == NDEATH:
            self._die(payload)
            return
        if kind == NBIRTH:
            self._forget()
            self._session, self.wants_birth = _session(payload), False
        elif self._seq is not None and payload.seq != (self._seq + 1) % SEQUENCE:
            self._forget()
        self._seq = payload.seq
        if kind in {DBIRTH, DDEATH}:
            self._forget_device(device)
        if kind == DDEATH:
            return
        for metric in payload.metrics:
            introduced = self._introduced(device, metric, is_birth=kind in {NBIRTH, DBIRTH})
            if introduced is None:
                self.wants_birth = self.is_lacking = True
            else:
                yield introduced, metric

    def _introduced(self, device: str, metric: Metric, *, is_birth: bool) -> Introduced | None:
        if metric.name:
            known = self._by_name.get((device, metric.name))
            introduced = Introduced(device, metric.name, metric.datatype or (known.datatype if known else 0))
            if is_birth:
                self._by_name[device, metric.name] = introduced
                if metric.alias is not None:
                    self._by_alias[metric.alias] = introduced
            return introduced
        found = self._by_alias.get(metric.alias) if metric.alias is not None else None
        return found if found and found.device == device else None

    def _die(self, payload: Payload) -> None:
        """The will of a session that has ended; that of an earlier one comes late and is nothing."""
        session = _session(payload)
        if session is None or self._session is None or session == self._session:
            self._forget()

    def _forget(self) -> None:
        self._by_alias.clear()
        self._by_name.clear()
        self._seq, self.wants_birth = None, True

    def _forget_device(self, device: str) -> None:
        self._by_alias = {alias: one for alias, one in self._by_alias.items() if one.device != device}
        self._by_name = {key: one for key, one in self._by_name.items() if one.device != device}


def _session(payload: Payload) -> float | None:
    return next((metric.raw for metric in payload.metrics if metric.name == SESSION), None)

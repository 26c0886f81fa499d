"""Devices that answer with JSON when a resource of theirs is asked for over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from edge_agent.drivers.base import Answer, Ask
from edge_agent.drivers.http_request import ask_for
from edge_agent.drivers.json_messages import decode_json
from facility.errors import DriverError
from facility.protocols.http_json import http_server, http_unit
from facility.protocols.json_values import JsonPoint
from process.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat


BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class ResourceAsk(Ask):
    """One resource, which says all the points."""

    resource: str


class HttpJsonDriver:
    """One GET for each resource; nothing is ever sent but that."""

    def __init__(self, seat: BusSeat) -> None:
        """Raises ``ConfigError`` for a URL that names no server, and for a file of TLS that cannot be used."""
        self._bus, self._place = seat.bus, http_server(seat.bus)
        self._tls = tls_context(self._place.tls) if self._place.tls else None

    def plan(self, device: Device, points: Collection[str]) -> Sequence[ResourceAsk]:
        """One ask for each resource."""
        unit = http_unit(self._bus, device.meter.unit)
        by_resource: dict[str, list[str]] = {}
        for point in points:
            by_resource.setdefault(_place(device, point).topics_of(unit)[0], []).append(point)
        return [ResourceAsk(device, tuple(each), resource) for resource, each in by_resource.items()]

    def answer(self, ask: ResourceAsk) -> Answer:
        """Ask for the resource; one that is refused, or no JSON, names its points."""
        status, body = ask_for(self._place, ask.resource, self._tls, self._bus.timeout_s)
        if status != HTTPStatus.OK:
            hint = ": it wants a password, which is not given" if status == HTTPStatus.UNAUTHORIZED else ""
            why = dict.fromkeys(ask.points, f"{ask.resource} is answered with HTTP {status}{hint}")
            if status in BUSY:
                return Answer(put_off=why)
            return Answer(unread=why, may_pass=status >= HTTPStatus.INTERNAL_SERVER_ERROR)
        places = {point: _place(ask.device, point) for point in ask.points}
        why_not: dict[str, str] = {}
        try:
            said = decode_json(places.values(), ask.resource, body, unit=ask.device.meter.unit, unread=why_not)
        except DriverError as error:
            return Answer(unread=dict.fromkeys(ask.points, f"{ask.resource}: {error}"), may_pass=True)
        values = {point: said[place.name] for point, place in places.items() if place.name in said}
        return Answer(values, {point: why_not[place.name] for point, place in places.items() if place.name in why_not})

    def confirm(self, device: Device) -> None:
        """No answer can be one to another request: each has a connection of its own."""
        del device

    def close(self) -> None:
        """Nothing is left open."""


def _place(device: Device, point: str) -> JsonPoint:
    place = device.places[point]
    assert isinstance(place, JsonPoint), f"{point} was checked against its bus"
    return place

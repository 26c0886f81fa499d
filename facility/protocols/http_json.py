"""JSON over HTTP: values in what a device answers when one of its resources is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from facility.errors import ConfigError, Problem, quoted
from facility.profile import DeviceProfile
from facility.protocols.document import ExamplePart, ProfileDocument, check_examples, read_points
from facility.protocols.json_values import JsonExample, JsonPart, JsonPoint, check_value
from facility.protocols.lines import network_line, tls_files
from facility.protocols.rules import ProtocolRules
from facility.quantities import BY_WORD

if TYPE_CHECKING:
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.protocols.lines import NetworkLine
    from facility.quantities import Quantity

PLAIN, TLS = "http", "https"
PORTS = {PLAIN: 80, TLS: 443}
MOST_CHARS = 200

RESOURCE = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/?%{}-]*")
"""RFC 3986, 3.3 and 3.4: what a path and a query may hold, and the braces of ``{unit}``."""

UNIT = re.compile(r"[A-Za-z0-9._~-]{1,64}")
"""RFC 3986, 2.3: what needs no escape."""


@dataclass(frozen=True, slots=True)
class HttpJsonProfile(DeviceProfile):
    """A model that answers; the topic of a point, and of an example, is the resource that says it."""

    protocol: ClassVar[str] = "http_json"

    points: tuple[JsonPoint, ...]
    examples: tuple[JsonExample, ...] = ()


class AnsweredPart(JsonPart):
    """One value in the answer to a GET of ``resource``, a path with its query, which may hold ``{unit}``."""

    resource: str = Field(min_length=1, max_length=MOST_CHARS)


class AnswerExamplePart(ExamplePart):
    """What a device answered, and the values it must decode to."""

    resource: str
    payload: str = Field(min_length=1)


class HttpJsonDocument(ProfileDocument):
    """A profile file of a device that is asked over HTTP."""

    protocol: Literal["http_json"]
    answers: list[AnsweredPart] = Field(min_length=1)
    examples: list[AnswerExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> HttpJsonProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        points = read_points(document, "answers", self.answers, _point)
        for i, part in enumerate(self.answers):
            check_value(document, ("answers", i), part, BY_WORD.get(part.quantity))
            if not RESOURCE.fullmatch(part.resource):
                what = f"{quoted(part.resource)} is no resource"
                document.report(("answers", i, "resource"), what, "a path that begins with a slash, such as /status")
        check_examples(document, self.examples, points)
        each = self.examples
        return self.made(
            HttpJsonProfile,
            points,
            tuple(JsonExample(e.note, e.expect, e.resource, e.payload, captured=e.captured) for e in each),
        )


def http_server(bus: Bus) -> NetworkLine:
    """The server that a bus's URL names. Raises ``ConfigError`` if it names none, or more than a server."""
    files = "?ca=FILE&cert=FILE&key=FILE" if bus.scheme == TLS else ""
    idle = re.sub(r"^https?://[^/?#]*/?", "", bus.url, flags=re.IGNORECASE)
    if "@" in bus.url or (idle and not (files and idle.startswith("?"))):  # what may be a password is not repeated
        what = "the URL says more than where the device is"
        raise ConfigError(Problem(f"bus {bus.id}", what, f"{bus.scheme}://host:port{files}"))
    line = network_line(bus, PORTS[bus.scheme], has_rtu_frames=False)
    return replace(line, tls=tls_files(bus)) if files else line


def http_unit(bus: Bus, unit: str) -> str:
    """The part of a resource that a unit stands for. Raises ``ConfigError`` for one that would have to be escaped."""
    if not UNIT.fullmatch(unit):
        what = f"unit {quoted(unit)} is no part of a resource"
        raise ConfigError(Problem(f"bus {bus.id}", what, "1 to 64 letters, digits, and . _ ~ -"))
    return unit


def _point(quantity: Quantity, part: AnsweredPart) -> JsonPoint:
    return part.said_at(quantity, part.resource)


HTTP_JSON = ProtocolRules((PLAIN, TLS), HttpJsonDocument, http_server, http_unit)

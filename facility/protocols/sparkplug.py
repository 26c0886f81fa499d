"""Sparkplug B: gateways that publish metrics of their devices by name, in protobuf over MQTT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from facility.broker_address import SECRETS, broker_address
from facility.errors import ConfigError, Problem, quoted
from facility.model import Ratio
from facility.profile import DeviceProfile, ProfilePoint
from facility.protocols.document import ProfileDocument, SaidPart, check_examples, read_points
from facility.protocols.framed import FrameExample, FrameExamplePart, read_examples
from facility.protocols.rules import ProtocolRules
from facility.protocols.topics import fault_of_topic

if TYPE_CHECKING:
    from facility.broker_address import BrokerAddress
    from facility.catalogue import Bus
    from facility.documents.part import Document
    from facility.quantities import Quantity

PLAIN, TLS = "sparkplug", "sparkplugs"
BROKER_SCHEMES = {PLAIN: "mqtt", TLS: "mqtts"}
REBIRTH = "rebirth=ask"
MOST_UNIT_BYTES = 1_000
ALLOWED_UNITS = "GROUP/NODE/DEVICE, or GROUP/NODE for metrics of the gateway itself"


@dataclass(frozen=True, slots=True)
class MetricPoint(ProfilePoint):
    """The metric whose value a quantity is, by its name."""

    metric: str
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class SparkplugProfile(DeviceProfile):
    """A model of gateway or device, by its metrics."""

    protocol: ClassVar[str] = "sparkplug"

    points: tuple[MetricPoint, ...]
    examples: tuple[FrameExample, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewayBroker:
    """Where gateways publish, and whether they may be asked to introduce their metrics anew."""

    broker: BrokerAddress
    may_ask: bool


@dataclass(frozen=True, slots=True)
class EdgeUnit:
    """Who publishes: a gateway (edge node) of a group, and perhaps a device of it."""

    group: str
    node: str
    device: str = ""


class MetricPart(SaidPart):
    """One metric, by its name as the gateway introduces it."""

    metric: str = Field(min_length=1, max_length=500)
    ratio: Ratio = Ratio.NONE


class SparkplugDocument(ProfileDocument):
    """A profile file of what a gateway publishes."""

    protocol: Literal["sparkplug"]
    metrics: list[MetricPart] = Field(min_length=1)
    examples: list[FrameExamplePart] = Field(min_length=1)

    def read(self, document: Document) -> SparkplugProfile:
        """The profile. Raises ``ConfigError`` with everything that is wrong with it."""
        points = read_points(document, "metrics", self.metrics, _point)
        examples = read_examples(document, self.examples)
        check_examples(document, self.examples, points)
        return self.made(SparkplugProfile, points, examples)


def _point(quantity: Quantity, part: MetricPart) -> MetricPoint:
    return MetricPoint(
        quantity, part.channel, part.metric, part.scale, part.offset, optional=part.optional, ratio=part.ratio
    )  # fmt: skip


def gateway_broker(bus: Bus) -> GatewayBroker:
    """The broker that a bus's URL names. Raises ``ConfigError`` without repeating a password: none may be there."""
    try:
        url = urlsplit(bus.url)
    except ValueError:
        raise ConfigError(Problem(f"bus {bus.id}", "is a URL that cannot be read", f"{PLAIN}://host")) from None
    words = url.query.split("&")
    if url.password is not None:
        what = "the URL holds a password"
        raise ConfigError(Problem(f"bus {bus.id}", what, f"{bus.scheme}://user@host?{'=…, '.join(SECRETS)}=…"))
    query = "&".join(word for word in words if word != REBIRTH)
    address = urlunsplit(url._replace(scheme=BROKER_SCHEMES[bus.scheme], query=query))
    return GatewayBroker(broker_address(address, f"bus {bus.id}", needs_credentials=False), REBIRTH in words)


def edge_unit(bus: Bus, unit: str) -> EdgeUnit:
    """Who a unit stands for. Raises ``ConfigError`` for one that can be in no topic."""
    fault = fault_of_topic(unit)
    parts = unit.split("/")
    if fault or len(parts) not in {2, 3} or len(unit.encode()) > MOST_UNIT_BYTES:
        what = f"unit {quoted(unit)} is no gateway{f': it {fault}' if fault else ''}"
        raise ConfigError(Problem(f"bus {bus.id}", what, ALLOWED_UNITS))
    return EdgeUnit(*parts)


SPARKPLUG = ProtocolRules((PLAIN, TLS), SparkplugDocument, gateway_broker, edge_unit)

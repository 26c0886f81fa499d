"""Hears gateways of Sparkplug B, and says nothing but that one shall introduce itself anew, where the site lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.drivers.broker_listener import BrokerListener, Turns, stamped, topic_of
from edge_agent.drivers.sparkplug.nodes import DBIRTH, DDATA, DDEATH, NBIRTH, NDATA, NDEATH, GatewayNode
from edge_agent.drivers.sparkplug.payload import read_payload, rebirth
from edge_agent.drivers.sparkplug.values import metric_value
from facility.errors import DriverError
from facility.protocols.sparkplug import MetricPoint, edge_unit, gateway_broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paho.mqtt.client import MQTTMessage

    from edge_agent.devices import Device
    from edge_agent.drivers.base import BusSeat
    from edge_agent.drivers.sparkplug.nodes import Introduced
    from edge_agent.drivers.sparkplug.payload import Metric, Payload
    from facility.model import Quality

    Said = tuple[str, int, float, Quality]

NAMESPACE = "spBv1.0"
OF_NODE, OF_DEVICE = {NBIRTH, NDATA, NDEATH}, {DBIRTH, DDATA, DDEATH}
ASK_EACH_S = 60.0
"""A gateway is asked for its births no more often than this."""

UNKNOWN = "metrics come by alias alone, and their births were missed; the URL may say ?rebirth=ask"


class SparkplugDriver(BrokerListener):
    """One subscription for each gateway; what comes by an alias is read once its birth was heard."""

    def __init__(self, seat: BusSeat) -> None:
        place = gateway_broker(seat.bus)
        super().__init__(seat, place.broker, self._subscribe, self._message)
        self._may_ask, self._turns = place.may_ask, Turns(seat)
        self._nodes: dict[tuple[str, str], GatewayNode] = {}
        self._devices: dict[tuple[str, str, str], list[Device]] = {}
        self._asked_s: dict[tuple[str, str], float] = {}
        for device in seat.devices:
            unit = edge_unit(seat.bus, device.meter.unit)
            self._devices.setdefault((unit.group, unit.node, unit.device), []).append(device)
            self._nodes[unit.group, unit.node] = GatewayNode()
            self._points_at[topic_of(device, device.meter.unit)] = list(device.places)

    def _subscribe(self) -> None:
        """What was missed meanwhile nobody knows: every gateway is as if it had not been heard."""
        for key in self._nodes:
            self._nodes[key] = GatewayNode()
        if self._nodes:
            self._line.client.subscribe([(f"{NAMESPACE}/{group}/+/{node}/#", 1) for group, node in self._nodes])
        for key in self._nodes:
            self._ask(key)

    def _message(self, message: MQTTMessage) -> None:
        _, group, kind, name, *rest = message.topic.split("/")
        device = rest[0] if rest else ""
        node = self._nodes.get((group, name))
        if node is None or message.retain or kind not in (OF_DEVICE if device else OF_NODE):
            return
        heard = self._devices.get((group, name, device), [])
        try:
            payload = read_payload(bytes(message.payload))
        except DriverError as error:
            for one in heard:
                self._unread.note(topic_of(one, one.meter.unit), str(error))
            return
        known = list(node.take(kind, device, payload))
        for one in heard:
            self._put(one, payload, known)
            self._tell(one, node)
        if node.wants_birth:
            self._ask((group, name))

    def _tell(self, device: Device, node: GatewayNode) -> None:
        what = topic_of(device, device.meter.unit)
        if node.is_lacking:
            self._unread.note(what, UNKNOWN)
        else:
            self._unread.clear(what)

    def _put(self, device: Device, payload: Payload, known: list[tuple[Introduced, Metric]]) -> None:
        if due := list(self._due(device, payload, known)):
            self._seat.put(due)

    def _due(self, device: Device, payload: Payload, known: list[tuple[Introduced, Metric]]) -> Iterator[Said]:
        """The values of the device's points in a message, each with the time that the message gives it."""
        now_ms, quality = self._seat.stamp()
        meter = device.meter
        for point, place in device.places.items():
            assert isinstance(place, MetricPoint), f"{point} was checked against its bus"
            for introduced, metric in known:
                if introduced.name != place.metric:
                    continue
                try:
                    value = metric_value(place, metric, introduced.datatype)
                except DriverError as error:
                    self._unread.note(point, str(error))
                    continue
                self._unread.clear(point)
                if value is None:
                    continue
                said_ms, value = metric.t_ms or payload.t_ms, value * place.factor(meter.ct_ratio, meter.pt_ratio)
                t_ms, how = stamped(said_ms, now_ms, quality)
                if self._turns.is_due(device, point, t_ms, value, says_time=said_ms is not None):
                    yield point, t_ms, value, how

    def _ask(self, key: tuple[str, str]) -> None:
        """Ask a gateway for its births, where the site says that we may."""
        now_s = self._seat.monotonic()
        if not self._may_ask or now_s - self._asked_s.get(key, -ASK_EACH_S) < ASK_EACH_S:
            return
        self._asked_s[key] = now_s
        group, node = key
        self._line.client.publish(f"{NAMESPACE}/{group}/NCMD/{node}", rebirth(self._seat.stamp()[0]))

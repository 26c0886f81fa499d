"""A gateway of Sparkplug B on a real broker, whose payloads are written from the published field numbers alone."""

from __future__ import annotations

import struct

from facility.protocols.sparkplug import MetricPoint, SparkplugProfile
from facility.quantities import Quantity
from rigs.driver_peers import MqttJsonPeer, MqttJsonTlsPeer
from rigs.patience import PATIENCE_S

GROUP, NODE, DEVICE = "hall 1", "gw", "meter 7"
INT64, DOUBLE, FLOAT, BOOLEAN, INT16, STRING = 4, 10, 9, 11, 2, 12


def varint(value):
    said = b""
    while value > 127:
        said += bytes((value % 128 + 128,))
        value //= 128
    return said + bytes((value,))


def whole(number, value):
    return varint(number * 8) + varint(value)


def text(number, value):
    return varint(number * 8 + 2) + varint(len(value)) + value


def metric(name="", alias=None, datatype=0, value=None, t_ms=None, is_null=False):
    """One metric; a value is laid into the field that its type has."""
    said = text(1, name.encode()) if name else b""
    said += whole(2, alias) if alias is not None else b""
    said += whole(3, t_ms) if t_ms is not None else b""
    said += whole(4, datatype) if datatype else b""
    said += whole(7, 1) if is_null else b""
    if isinstance(value, bool):
        said += whole(14, int(value))
    elif isinstance(value, int):
        said += whole(10, value % 2**32) if datatype == INT16 else whole(11, value % 2**64)
    elif isinstance(value, float):
        said += (
            varint(12 * 8 + 5) + struct.pack("<f", value)
            if datatype == FLOAT
            else varint(13 * 8 + 1) + struct.pack("<d", value)
        )
    elif value is not None:
        said += text(15, value.encode())
    return said


def payload(*metrics, seq=None, t_ms=None):
    said = whole(1, t_ms) if t_ms is not None else b""
    said += b"".join(text(2, one) for one in metrics)
    return said + (whole(3, seq) if seq is not None else b"")


BIRTH = (
    metric("Energy/Import", 1, INT64), metric("Power", 2, DOUBLE), metric("Door", 3, BOOLEAN),
    metric("Outside", 4, INT16),
)  # fmt: skip
"""Introduces all without a value; INT16 shows whether a sign is kept."""

DATA = (
    metric(alias=1, datatype=INT64, value=1_234_560), metric(alias=2, value=-12.5), metric(alias=3, value=True),
    metric(alias=4, datatype=INT16, value=-75),
)  # fmt: skip


class SparkplugPeer(MqttJsonPeer):
    """A gateway with one device."""

    unit = f"{GROUP}/{NODE}/{DEVICE}"
    profile = SparkplugProfile(
        "test/sparkplug", "Test gateway", "electricity", (),
        (
            MetricPoint(Quantity.ENERGY_IMPORT, "total", "Energy/Import", 0.001),
            MetricPoint(Quantity.ACTIVE_POWER, "total", "Power", 1000.0),
            MetricPoint(Quantity.DOOR_OPEN, "door", "Door"),
            MetricPoint(Quantity.TEMPERATURE, "total", "Outside", 0.1),
        ),
    )  # fmt: skip
    expect = {
        "energy_import/total": 1234.56, "active_power/total": -12_500.0, "door_open/door": 1.0,
        "temperature/total": -7.5,
    }  # fmt: skip

    def __init__(self, folder):
        super().__init__(folder)
        self.url = self.url.replace("mqtt", "sparkplug", 1)

    def publish(self, kind, message, device=DEVICE):
        topic = f"spBv1.0/{GROUP}/{kind}/{NODE}" + (f"/{device}" if kind[0] == "D" else "")
        self.client.publish(topic, message, qos=1).wait_for_publish(PATIENCE_S)

    def born(self, session=0):
        self.publish("NBIRTH", payload(metric("bdSeq", datatype=INT64, value=session), seq=0))
        self.publish("DBIRTH", payload(*BIRTH, seq=1))

    def say(self):
        self.born()
        self.publish("DDATA", payload(*DATA, seq=2))

    def babble(self, noise):
        self.publish("DDATA", noise)


class SparkplugTlsPeer(SparkplugPeer, MqttJsonTlsPeer):
    """The same behind TLS."""

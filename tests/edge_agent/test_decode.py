"""Registers and messages become numbers; what a device does not say stays unsaid."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.modbus.registers import decode_registers, encode_registers
from edge_agent.drivers.modbus.spans import plan_spans
from facility.errors import DriverError
from facility.model import Ratio
from facility.protocols.modbus.coding import Coding
from facility.protocols.modbus.profile import RegisterPoint, RegisterTable, WordOrder
from facility.protocols.mqtt_json import JsonPoint
from facility.quantities import Quantity

WH = Quantity.ENERGY_IMPORT


def register(coding=Coding.FLOAT32, address=0, table=RegisterTable.HOLDING, **more):
    return RegisterPoint(WH, "total", address, coding, table, **more)


VECTORS = [
    (register(), (0x4366, 0x3333), 230.1999969482422),
    (register(word_order=WordOrder.LITTLE), (0x3333, 0x4366), 230.1999969482422),
    (register(Coding.UINT16, scale=0.1), (2315,), 231.5),
    (register(Coding.INT16), (0xFFFE,), -2.0),
    (register(Coding.INT32, scale=0.01), (0x0003, 0x1292), 2013.62),
    (register(Coding.INT64, scale=0.001), (0, 0, 0x0117, 0xED22), 18345.25),
    (register(Coding.FLOAT64), (0x3FF8, 0, 0, 0), 1.5),
    (register(Coding.UINT16, ratio=Ratio.CT_PT), (2,), 2 * 40 * 100.0),
    (register(Coding.UINT16, ratio=Ratio.CT), (2,), 80.0),
    (register(), (0x7FC0, 0), None),
    (register(), (0x7F80, 0), None),
    (register(), (0xFFFF, 0xFFFF), None),
    (register(), (0x7F7F, 0xFFFF), None),
    (register(), (0xFF7F, 0xFFFF), None),
    (register(scale=0.001), (0x7DB4, 0x8E52), None),
    (register(not_available=()), (0xFF80, 0), None),
    (register(Coding.FLOAT64), (0x7FEF, 0xFFFF, 0xFFFF, 0xFFFF), None),
    (register(Coding.UINT32), (0xFFFF, 0xFFFF), None),
    (register(Coding.UINT32, not_available=()), (0xFFFF, 0xFFFF), 4294967295.0),
    (register(Coding.INT32, not_available=("7FFFxxxx",)), (0x7FFF, 0x0001), None),
    (register(Coding.INT32, not_available=("7FFFxxxx",)), (0x8000, 0x0000), -2147483648.0),
    (register(Coding.INT32, not_available=("7FFFxxxx",), word_order=WordOrder.LITTLE), (0x0001, 0x7FFF), None),
    (register(Coding.INT32, not_available=("7FFFxxxx",), word_order=WordOrder.LITTLE), (0x7FFF, 0x0001), 98303.0),
]


@pytest.mark.parametrize(("point", "words", "value"), VECTORS)
def test_registers_decode_to_their_value(point, words, value):
    assert decode_registers(point, words, ct_ratio=40, pt_ratio=100) == value


def test_a_wrong_number_of_registers_is_the_devices_fault():
    with pytest.raises(DriverError, match="needs 2 registers, 1 came"):
        decode_registers(register(), (1,))


@given(
    st.sampled_from([Coding.UINT16, Coding.INT16, Coding.UINT32, Coding.INT32]),
    st.sampled_from([1.0, 0.1, 0.01, 0.001, 10.0]),
    st.sampled_from(list(WordOrder)),
    st.sampled_from(list(Ratio)),
    st.data(),
)
def test_encoding_is_the_inverse_of_decoding(coding, scale, order, ratio, data):
    words = tuple(data.draw(st.lists(st.integers(0, 0xFFFF), min_size=coding.registers, max_size=coding.registers)))
    point = register(coding, scale=scale, word_order=order, ratio=ratio, not_available=())
    assert encode_registers(point, decode_registers(point, words, ct_ratio=40, pt_ratio=3), 40, 3) == words


def test_unavailable_is_encoded_as_the_device_says_it():
    assert encode_registers(register(Coding.INT16, not_available=("8000",)), None) == (0x8000,)
    with pytest.raises(OverflowError, match="no word for 'not available'"):
        encode_registers(register(Coding.INT16, not_available=()), None)


@pytest.mark.parametrize("coding", Coding)
@pytest.mark.parametrize("order", WordOrder)
def test_no_value_is_encoded_and_read_as_none(coding, order):
    point = register(coding, word_order=order)
    assert decode_registers(point, encode_registers(point, None)) is None


def json_point(path, words=None, scale=1.0, topic="z/{unit}"):
    return JsonPoint(Quantity.DOOR_OPEN, "door", topic, path, scale, words or {})


@pytest.mark.parametrize(
    ("point", "payload", "value"),
    [
        (json_point(("contact",), {"true": 0, "false": 1}), b'{"contact":false}', 1.0),
        (json_point(("contact",)), b'{"contact":true}', 1.0),
        (json_point(("a", "b"), scale=0.001), b'{"a":{"b":1250.5}}', 1.2505),
        (json_point(("a", "1")), b'{"a":[5,7]}', 7),
        (json_point(("state",), {"open": 1}), b'{"state":"open"}', 1.0),
        (json_point(("state",), {"open": 1}), b'{"state":"ajar"}', None),
        (json_point(("x",)), b'{"x":"12"}', None),
        (json_point(("x",)), b'{"x":null}', None),
        (json_point(("x",)), b'{"x":' + b"9" * 400 + b"}", None),
        (json_point(("x",)), b"[]", None),
        (json_point(("x", "y")), b'{"x":3}', None),
    ],
)
def test_messages_decode_to_their_value(point, payload, value):
    said = decode_json([point], "z/7", payload, unit="7")
    assert said.get("door_open/door") == value


@pytest.mark.parametrize("payload", [b"{", b'{"x":NaN}', b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_the_devices_fault(payload):
    with pytest.raises(DriverError):
        decode_json([json_point(("x",))], "z/7", payload, unit="7")


def test_messages_of_other_topics_say_nothing():
    assert decode_json([json_point(("x",))], "z/8", b"{", unit="7") == {}


@given(st.binary(max_size=60))
def test_no_payload_breaks_the_decoder(payload):
    try:
        said = decode_json([json_point(("x",))], "z/7", payload, unit="7")
    except DriverError:
        return
    assert all(map(math.isfinite, said.values()))


@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.sampled_from(list(Coding)), st.sampled_from(list(RegisterTable))),
        min_size=1,
        max_size=40,
    ),
    st.integers(4, 125),
    st.integers(0, 60),
)
def test_spans_hold_every_point_once_within_the_devices_limits(places, max_registers, max_gap):
    points = [register(coding, address, table) for address, coding, table in places]
    spans = plan_spans(points, max_registers=max_registers, max_gap=max_gap)
    assert sorted(map(id, (p for span in spans for p in span.points))) == sorted(map(id, points))
    for span in spans:
        assert span.count <= max_registers
        wanted = {a for p in span.points for a in range(p.address, p.address + p.coding.registers)}
        assert min(wanted) == span.address
        assert max(wanted) == span.address + span.count - 1
        assert all(p.table is span.table for p in span.points)
        holes = sorted(set(range(span.address, span.address + span.count)) - wanted)
        assert all(holes[i + max_gap] - holes[i] > max_gap for i in range(len(holes) - max_gap))

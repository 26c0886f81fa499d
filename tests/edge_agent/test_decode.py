"""Registers and messages become numbers; what a device does not say stays unsaid."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.drivers.json_messages import decode_json
from edge_agent.drivers.json_text import parse_json
from edge_agent.drivers.modbus.registers import decode_registers, encode_registers
from edge_agent.drivers.modbus.spans import BlockLimits, plan_spans
from facility.errors import DriverError
from facility.model import Ratio
from facility.protocols.json_values import JsonPoint, Many, MessagePlace, MessageTime, TextNumber, TimeForm
from facility.protocols.modbus.coding import Coding
from facility.protocols.modbus.profile import RegisterPoint, RegisterTable, WordOrder
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


@pytest.mark.parametrize("coding", [coding for coding in Coding if coding is not Coding.BIT])
@pytest.mark.parametrize("order", WordOrder)
def test_no_value_is_encoded_and_read_as_none(coding, order):
    point = register(coding, word_order=order, length=2 if coding is Coding.TEXT else 0)
    assert decode_registers(point, encode_registers(point, None)) is None


OPEN, POWER, ENERGY = Quantity.DOOR_OPEN, Quantity.ACTIVE_POWER, Quantity.ENERGY_IMPORT


def json_point(path, words=None, scale=1.0, topic="z/{unit}", quantity=Quantity.DOOR_OPEN, text=None, **more):
    return JsonPoint(quantity, "door", topic, path, scale, words or {}, text, **more)


@pytest.mark.parametrize(
    ("point", "payload", "value"),
    [
        (json_point(("contact",), {"true": 0, "false": 1}), b'{"contact":false}', 1.0),
        (json_point(("contact",)), b'{"contact":true}', 1.0),
        (json_point(("a", "b"), scale=0.001, quantity=POWER), b'{"a":{"b":1250.5}}', 1.2505),
        (json_point(("a", "1"), quantity=POWER), b'{"a":[5,7]}', 7),
        (json_point(("a", "1"), quantity=POWER), b'{"a":[5]}', None),
        (json_point(("a", "1-0:1", "8", "0"), quantity=POWER), b'{"a":{"1-0:1.8.0":5}}', 5),
        (json_point(("1", "8"), quantity=POWER), b'{"1":{"8":6},"1.8":5}', 6),
        (json_point((), quantity=POWER), b" 840.5\n", 840.5),
        (json_point((), quantity=POWER), b"nan", None),
        (json_point((), quantity=POWER), b"{}", None),
        (json_point((), quantity=POWER, text=TextNumber(unit="W")), b"840 W", 840),
        (json_point((), {"ON": 1, "OFF": 0}), b"ON", 1.0),
        (json_point((), {"ON": 1, "OFF": 0}), b'"OFF"', 0.0),
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
    assert said == ({} if value is None else {point.name: value})


@pytest.mark.parametrize("payload", [b"{", b"", b"NaN", b"\xff", b'{"x":1}{"x":2}', b'{"x' * 9999, b"[" * 100_000])
def test_what_is_not_json_is_the_devices_fault(payload):
    with pytest.raises(DriverError):
        decode_json([json_point(("x",))], "z/7", payload, unit="7")


CONTACT, LEVELS = {"true": 0.0, "false": 1.0}, {"0": 0.0, "1": 1.0}


@pytest.mark.parametrize(
    ("quantity", "words", "said", "value"),
    [
        (POWER, {}, b"false", None),
        (ENERGY, {}, b"true", None),
        (OPEN, {}, b"true", 1.0),
        (OPEN, {}, b"0", 0.0),
        (OPEN, {}, b"0.5", None),
        (OPEN, {}, b"2", None),
        (OPEN, {"true": 0.0}, b"false", None),
        (OPEN, CONTACT, b"true", 0.0),
        (OPEN, CONTACT, b"1", None),
        (OPEN, CONTACT, b"0.0", None),
        (OPEN, LEVELS, b"1", 1.0),
        (OPEN, LEVELS, b"1.0", 1.0),
        (OPEN, LEVELS, b"-0.0", 0.0),
        (OPEN, LEVELS, b"2", None),
        (OPEN, LEVELS, b"true", None),
        (OPEN, {"open": 1.0}, b'"Open"', None),
        (POWER, {}, b"-0", 0.0),
        (POWER, {}, b"-840.5", -840.5),
        (POWER, {}, b"1e400", None),
        (POWER, {}, b"9" * 5000, None),
        (POWER, {}, b'"840"', None),
        (POWER, {}, b'"840 W"', None),
        (POWER, {}, b'"840,5"', None),
        (POWER, {}, b'"\\u0000"', None),
        (POWER, {}, b'"\\ud800"', None),
        (POWER, {}, b"[840]", None),
        (POWER, {}, b'{"value": 840}', None),
        *(
            (POWER, {}, word, None)
            for word in (b"NaN", b"-Infinity", b"nan", b"-nan(ind)", b"1.#INF", b"007", b"", b"5 W")
        ),
        *(
            (POWER, {}, word, None)
            for word in (b"None", b"True", b".5", b"+5", b"0x10", b"1 000", b"840,5", b"1,234,567", b"12:30:00", b"'5'")
        ),
    ],
)
def test_a_value_is_one_of_its_point_or_is_named_with_its_field_and_what_came(quantity, words, said, value):
    """Nothing is guessed, and its neighbours are read whatever it is."""
    points = [json_point(("a", "x"), words, quantity=quantity), json_point(("v",), quantity=Quantity.VOLTAGE)]
    unread = {}
    found = decode_json(points, "z/7", b'{"a":{"x":%s},"v":230.5}' % said, unit="7", unread=unread)
    assert found.pop("voltage/door") == 230.5
    assert found == ({} if value is None else {f"{quantity.word}/door": value})
    assert math.copysign(1, found.get(f"{quantity.word}/door", 0.0)) == (-1 if value and value < 0 else 1)
    assert unread.keys() == ({f"{quantity.word}/door"} if value is None else set())
    for why in unread.values():
        assert why.startswith(f"a.x is {said.decode()[:20] or 'nothing'}")
        assert why.isprintable()


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b'\xef\xbb\xbf{"x":5}', 5.0),
        ('{"x":5}'.encode("utf-16"), 5.0),
        (b'{"x":5}\0', 5.0),
        (b'{"x":5,"unit":"\xb0C"}', 5.0),
        (b'{"x":5,"note":"two\nlines"}', 5.0),
        (b'{"note":\xef\xbb\xbf"","x":5}', 5.0),
        (b'{"x":5,"note":"C:\\data\\u12"}', 5.0),
        (b'{"at":2026-01-02T10:00:00Z,"x":5}', 5.0),
        (b'{"note":840,5,"x":5}', 5.0),
        (b'{"x":5,}', 5.0),
        (b'{"list":[1,,{"a":1 , } , ],"x":5 , \n}', 5.0),
        (b'{"x":5,"list":[NaN,{"y":nan}]}', 5.0),
        ('{"x":5}'.encode("utf-16-le"), 5.0),
        ('{"x":5}'.encode("utf-32-be"), 5.0),
        (b'{"x":5,"x":5}', 5.0),
        (b'{"x":5,"x":6}', None),
        (b'{"x":5,"x":true}', None),
        (b'{"x":null}', None),
    ],
)
def test_what_is_wrong_with_a_message_costs_no_more_than_it_must(payload, value):
    point, unread = json_point(("x",), quantity=POWER), {}
    said = decode_json([point], "z/7", payload, unit="7", unread=unread)
    assert said.get("active_power/door") == value
    assert bool(unread) == (b"5" in payload and value is None)  # null is silence


def test_what_two_messages_say_is_found_in_each_by_its_own_path():
    also = (MessagePlace("{unit}/events/rpc", ("params", "em:0", "x")),)
    points = [json_point(("x",), quantity=POWER, topic="{unit}/status/em:0", also=also)]
    said = {"plug/status/em:0": b'{"x":5}', "plug/events/rpc": b'{"params":{"em:0":{"x":6}}}', "7/events/rpc": b""}
    found = [decode_json(points, topic, payload, unit="plug") for topic, payload in said.items()]
    assert found == [{"active_power/door": 5.0}, {"active_power/door": 6.0}, {}]
    assert decode_json(points, "plug/events/rpc", b'{"params":{"em:1":{"x":6}}}', unit="plug") == {}


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b'{"a":5}', "a is 5: b.x is expected in it"),
        (b'{"a":[5]}', "a is [5]: b.x is expected in it"),
        (b'{"a":{"b":""}}', 'a.b is "": x is expected in it'),
        (b'{"a":{"b":NaN}}', "a.b is NaN: that is not JSON"),
        (b'"online"', 'the message is "online": a.b.x is expected in it'),
        (b'[{"a":1}]', 'the message is [{"a": 1}]: a.b.x is expected in it'),
        ('{"a":"\u202e\x9b\u2028"}'.encode(), 'a is "\\u202e\\x9b\\u2028": b.x is expected in it'),
        (b'{"a":{"b":null}}', None),
        (b'{"a":null}', None),
        (b'{"a":{}}', None),
        (b"null", None),
    ],
)
def test_what_stands_where_an_object_is_expected_is_named_and_what_is_absent_is_not(payload, why):
    unread = {}
    assert decode_json([json_point(("a", "b", "x"), quantity=POWER)], "z/7", payload, unit="7", unread=unread) == {}
    assert unread == ({} if why is None else {"active_power/door": why})


@pytest.mark.parametrize(
    ("form", "said", "value"),
    [
        (TextNumber(), "840", 840.0),
        (TextNumber(), " -8.4e2 ", -840.0),
        (TextNumber(), "840 W", None),
        (TextNumber(), "840,5", None),
        (TextNumber(), "1_000", None),
        (TextNumber(), "0x10", None),
        (TextNumber(), "nan", None),
        (TextNumber(), "٨٤٠", None),
        (TextNumber(), "", None),
        (TextNumber(), "1" * 400, None),
        (TextNumber(unit="W"), "840 W", 840.0),
        (TextNumber(unit="W"), "840W", 840.0),
        (TextNumber(unit="W"), "0.84 kW", None),
        (TextNumber(unit="W"), "840", None),
        (TextNumber(",", "W"), "840,5 W", 840.5),
        (TextNumber(","), "840,5", 840.5),
        (TextNumber(","), "1.840,5", None),
        (TextNumber(","), "840.5", None),
    ],
)
def test_a_number_in_a_text_is_read_as_the_profile_writes_it_and_no_other_way(form, said, value):
    point, unread = json_point(("x",), quantity=POWER, text=form), {}
    payload = json.dumps({"x": said}).encode()
    assert decode_json([point], "z/7", payload, unit="7", unread=unread).get("active_power/door") == value
    assert bool(unread) == (value is None)
    assert decode_json([point], "z/7", b'{"x":840}', unit="7") == {"active_power/door": 840.0}


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('a"\\,:{}[] \n\u2028-5N')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(TREES, st.sampled_from([None, 1]), st.booleans())
def test_what_is_json_is_read_as_json(tree, indent, is_ascii):
    """What mends wrong messages changes nothing in right ones."""
    written = json.dumps(tree, indent=indent, ensure_ascii=is_ascii)
    assert parse_json(written.encode("utf-8", "surrogatepass")) == tree


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
    points = [
        register(coding, address, table, length=3 if coding is Coding.TEXT else 0) for address, coding, table in places
    ]
    spans = [span for (span,) in plan_spans(points, BlockLimits(max_registers, max_gap))]
    assert sorted(map(id, (p for span in spans for p in span.points))) == sorted(map(id, points))
    for span in spans:
        assert span.count <= max_registers
        wanted = {a for p in span.points for a in range(p.address, p.address + p.count)}
        assert min(wanted) == span.address
        assert max(wanted) == span.address + span.count - 1
        assert all(p.table is span.table for p in span.points)
        holes = sorted(set(range(span.address, span.address + span.count)) - wanted)
        assert all(holes[i + max_gap] - holes[i] > max_gap for i in range(len(holes) - max_gap))


LISTS = [
    (b'{"w":[1.5,2,-0.25]}', Many.SUM, 3.25),
    (b'{"w":[1.5,2,-0.25]}', Many.LAST, -0.25),
    (b'{"w":7}', Many.SUM, 7.0),
    (b'{"w":[1.5,null]}', Many.SUM, None),
    (b'{"w":[1.5,null]}', Many.LAST, None),
    (b'{"w":[null,2]}', Many.LAST, 2.0),
    (b'{"w":[1,-999]}', Many.SUM, None),
    (b'{"w":[]}', Many.SUM, None),
    (b'{"w":[[1,2],3]}', Many.SUM, None),
    (b'{"w":[1,"x"]}', Many.SUM, None),
]


@pytest.mark.parametrize(("payload", "many", "value"), LISTS)
def test_of_a_list_the_sum_or_the_last_is_meant(payload, many, value):
    point, unread = json_point(("w",), quantity=POWER, many=many, none=(-999,)), {}
    said = decode_json([point], "z/7", payload, unit="7", unread=unread)
    assert said == ({} if value is None else {"active_power/door": value})
    assert bool(unread) == (value is None)


@pytest.mark.parametrize("word", ["-999", "-999.0", '"n/a"', "null"])
def test_what_a_profile_calls_no_value_is_none_and_no_fault(word):
    point, unread = json_point(("w",), quantity=POWER, none=(-999, "n/a")), {}
    assert decode_json([point], "z/7", b'{"w":%s}' % word.encode(), unit="7", unread=unread) == {}
    assert unread == {}


def test_a_scale_may_be_negative_and_an_offset_is_added():
    point = json_point(("t",), quantity=Quantity.TEMPERATURE, scale=-0.1, offset=100.0)
    assert decode_json([point], "z/7", b'{"t":250}', unit="7") == {"temperature/door": 75.0}


TIMES = [
    ('"2026-09-14T10:30:00Z"', TimeForm.ISO, 1_789_381_800_000),
    ('"2026-09-14T12:30:00.250+02:00"', TimeForm.ISO, 1_789_381_800_250),
    ('"2026-09-14T12:30:00"', TimeForm.ISO, None),
    ("1789381800", TimeForm.UNIX_S, 1_789_381_800_000),
    ("1789381800.5", TimeForm.UNIX_S, 1_789_381_800_500),
    ('"1789381800000"', TimeForm.UNIX_MS, 1_789_381_800_000),
    ("true", TimeForm.UNIX_S, None),
    ("null", TimeForm.ISO, None),
    ('"yesterday"', TimeForm.UNIX_S, None),
    ("1e400", TimeForm.UNIX_S, None),
]


@pytest.mark.parametrize(("word", "form", "at_ms"), TIMES)
def test_a_message_says_when_its_values_were_true(word, form, at_ms):
    point, times = json_point(("w",), quantity=POWER, time=MessageTime(("at",), form)), {}
    payload = f'{{"w":1,"at":{word}}}'.encode()
    assert decode_json([point], "z/7", payload, unit="7", times=times) == {"active_power/door": 1.0}
    assert times == ({} if at_ms is None else {"active_power/door": at_ms})

"""What real maps need beyond one number in one register: byte orders, digits, bits, sums, powers of ten, two places."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.drivers.modbus.registers import (
    AmbiguousError,
    choose,
    decode_point,
    decode_registers,
    encode_registers,
    is_held,
)
from edge_agent.drivers.modbus.spans import BlockLimits, plan_spans
from facility.documents.profile import load_profile
from facility.errors import ConfigError
from facility.protocols.modbus.coding import Coding
from facility.protocols.modbus.profile import (
    BlockGroup,
    ComposedPoint,
    EitherPoint,
    RegisterPoint,
    RegisterTable,
    WordOrder,
)
from facility.quantities import Quantity

HOLDING, INPUT, COIL = RegisterTable.HOLDING, RegisterTable.INPUT, RegisterTable.COIL
BIG, LITTLE = WordOrder.BIG, WordOrder.LITTLE
POWER, ENERGY, DOOR = Quantity.ACTIVE_POWER, Quantity.ENERGY_IMPORT, Quantity.DOOR_OPEN


def number(address=0, coding=Coding.UINT16, scale=1.0, quantity=POWER, table=HOLDING, **more):
    return RegisterPoint(quantity, "total", address, coding, table, scale, **more)


def held(words, table=HOLDING):
    return {(table, address): word for address, word in words.items()}


FLOAT = struct.unpack(">f", bytes.fromhex("43663333"))[0]
ORDERS = {
    "ABCD": ((0x4366, 0x3333), BIG, BIG),
    "CDAB": ((0x3333, 0x4366), LITTLE, BIG),
    "BADC": ((0x6643, 0x3333), BIG, LITTLE),
    "DCBA": ((0x3333, 0x6643), LITTLE, LITTLE),
}


@pytest.mark.parametrize(("words", "word_order", "byte_order"), ORDERS.values(), ids=ORDERS)
def test_a_float_is_read_in_each_of_the_four_orders(words, word_order, byte_order):
    point = number(coding=Coding.FLOAT32, word_order=word_order, byte_order=byte_order)
    assert decode_registers(point, words) == FLOAT
    assert encode_registers(point, FLOAT) == words


NUMBERS = [
    (number(coding=Coding.BCD16), (0x1234,), 1234.0),
    (number(coding=Coding.BCD32, scale=0.01), (0x0012, 0x3456), 1234.56),
    (number(coding=Coding.BCD48), (0x0000, 0x0012, 0x3456), 123456.0),
    (number(coding=Coding.BCD64), (0, 0, 0x9999, 0x9999), 99999999.0),
    (number(coding=Coding.BCD32), (0x0012, 0x345A), None),
    (number(coding=Coding.BCD16), (0xFFFF,), None),
    (number(coding=Coding.UINT24), (0x0012, 0x3456), float(0x123456)),
    (number(coding=Coding.UINT24), (0xAB12, 0x3456), float(0x123456)),
    (number(coding=Coding.INT24), (0x00FF, 0xFFFE), -2.0),
    (number(coding=Coding.INT24), (0x007F, 0xFFFF), None),
    (number(coding=Coding.UINT48, scale=0.001), (0, 0x0117, 0xED22), 18345.25),
    (number(coding=Coding.INT48), (0xFFFF, 0xFFFF, 0xFFF0), -16.0),
    (number(coding=Coding.UINT16, mask=0x0F00), (0x1234,), 2.0),
    (number(coding=Coding.UINT16, mask=0x0001, quantity=DOOR), (0xFFFE,), 0.0),
    (number(coding=Coding.UINT16, mask=0x8000, quantity=DOOR), (0x8000,), 1.0),
    (number(coding=Coding.UINT16, mask=1, quantity=DOOR, scale=-1.0, offset=1.0), (1,), 0.0),
    (number(coding=Coding.INT16, scale=-1.0), (100,), -100.0),
    (number(coding=Coding.INT16, scale=-0.1), (2315,), -231.5),
    (number(coding=Coding.UINT16, scale=0.1, offset=-40.0, quantity=Quantity.TEMPERATURE), (615,), 21.5),
    (number(coding=Coding.TEXT, length=4), struct.unpack(">4H", b"01234.5\0"), 1234.5),
    (number(coding=Coding.TEXT, length=4), struct.unpack(">4H", b"  -12.50"), -12.5),
    (number(coding=Coding.TEXT, length=4), struct.unpack(">4H", b"1.2.3   "), None),
    (number(coding=Coding.TEXT, length=4), (0, 0, 0, 0), None),
    (number(coding=Coding.BIT, table=COIL, quantity=DOOR), (1,), 1.0),
]


@pytest.mark.parametrize(("point", "words", "value"), NUMBERS)
def test_numbers_of_every_coding_are_read(point, words, value):
    assert decode_registers(point, words) == value


@given(
    st.sampled_from([Coding.BCD16, Coding.BCD32, Coding.BCD48, Coding.UINT24, Coding.INT24, Coding.UINT48]),
    st.sampled_from(list(WordOrder)),
    st.sampled_from(list(WordOrder)),
    st.integers(0, 9999),
)
def test_what_a_simulated_device_holds_is_what_is_read(coding, word_order, byte_order, value):
    point = number(coding=coding, scale=0.1, word_order=word_order, byte_order=byte_order)
    assert decode_registers(point, encode_registers(point, value / 10)) == value / 10


class TestComposed:
    def test_a_difference_of_two_registers_is_net_power(self):
        taken, given_ = number(0, Coding.UINT32, 0.1), number(2, Coding.UINT32, -0.1)
        point = ComposedPoint(POWER, "total", (taken, given_))
        assert decode_point(point, held({0: 0, 1: 15, 2: 0, 3: 12340})) == -1232.5

    def test_a_sum_of_three_phases(self):
        point = ComposedPoint(POWER, "total", tuple(number(i, Coding.INT16) for i in range(3)))
        assert decode_point(point, held({0: 100, 1: 0xFFFF, 2: 7})) == 106.0

    def test_where_one_number_is_missing_there_is_no_value(self):
        point = ComposedPoint(POWER, "total", (number(0), number(1)), (number(2),))
        for lost in range(3):
            assert decode_point(point, held({0: 1, 1: 2, 2: 3} | {lost: 0xFFFF})) is None

    def test_ratio_registers_multiply(self):
        point = ComposedPoint(POWER, "total", (number(0),), (number(1), number(2, scale=0.1)))
        assert decode_point(point, held({0: 250, 1: 40, 2: 10})) == 10_000.0

    @pytest.mark.parametrize(("power", "value"), [(0xFFFE, 23.15), (0, 2315.0), (2, 231500.0), (0xFFFF, 231.5)])
    def test_a_scale_factor_is_a_power_of_ten(self, power, value):
        factor = number(1, Coding.INT16, not_available=("8000",))
        point = ComposedPoint(POWER, "total", (number(0, Coding.INT16),), exponent=factor)
        assert decode_point(point, held({0: 2315, 1: power})) == value

    @pytest.mark.parametrize("power", [0x8000, 0x7FFF, 100])
    def test_a_scale_factor_that_is_none_gives_no_value(self, power):
        factor = number(1, Coding.INT16, not_available=("8000",))
        assert decode_point(ComposedPoint(POWER, "t", (number(0),), exponent=factor), held({0: 1, 1: power})) is None


class TestEither:
    OLD, NEW = number(0x101E, Coding.UINT32, quantity=ENERGY), number(0x401E, Coding.UINT32, quantity=ENERGY)
    POINT = EitherPoint(ENERGY, "total", (OLD, NEW))

    def test_only_one_place_is_there(self):
        assert decode_point(self.POINT, held({0x401E: 0, 0x401F: 77})) == 77.0
        assert not is_held(self.POINT, held({0x401E: 0}))

    def test_the_one_that_says_something_is_meant(self):
        assert choose([0.0, 77.0]) == (1, 77.0)
        assert choose([None, 0.0]) == (1, 0.0)
        assert choose([None, None]) is None
        assert choose([5.0, 5.0]) == (0, 5.0)

    def test_nothing_is_guessed_where_two_differ(self):
        with pytest.raises(AmbiguousError, match="12 and 77"):
            choose([12.0, 77.0])


class TestSpans:
    def test_numbers_of_one_point_that_lie_apart_are_read_in_several_blocks_of_one_ask(self):
        near, far = number(0), number(100)
        composed = ComposedPoint(POWER, "l1", (number(1),), (number(500),))
        spans = plan_spans([near, far, composed], BlockLimits(max_gap=4))
        assert [[(s.address, s.count) for s in each] for each in spans] == [[(0, 1)], [(100, 1)], [(1, 1), (500, 1)]]

    def test_a_point_whose_numbers_lie_close_joins_its_neighbours(self):
        composed = ComposedPoint(POWER, "l1", (number(1),), exponent=number(3))
        (only,) = plan_spans([number(0), composed, number(6)], BlockLimits(max_gap=4))
        assert [(s.address, s.count, len(s.points)) for s in only] == [(0, 7, 3)]

    def test_a_block_does_not_reach_into_another_group(self):
        groups = (BlockGroup(HOLDING, 0, 9, 125, 8), BlockGroup(HOLDING, 10, 99, 2, 0))
        spans = plan_spans([number(a) for a in (8, 9, 10, 11, 12, 14)], BlockLimits(groups=groups))
        assert [(s.address, s.count) for (s,) in spans] == [(8, 2), (10, 2), (12, 1), (14, 1)]


PROFILE = """
profile: test/one
name: Test
kind: electricity
protocol: modbus
sources: [{{document: d, version: "1", section: s}}]
modbus: {{table: holding{more}}}
registers:
  - {point}
examples:
  - {{note: n, registers: {{0: [0]}}, expect: {{}}}}
"""
HEAD = "quantity: active_power, unit: W"


def read(point, more=""):
    return load_profile(PROFILE.format(point="{" + point + "}", more=more), "test/one.yaml").points[0]


def test_a_profile_says_all_of_it():
    point = read(
        f"{HEAD}, sum: [{{address: 0, type: uint32, byte_order: little}}, {{address: 2, type: bcd32, scale: -0.1}}],"
        " times: [{address: 9, type: uint16}], exponent: {address: 10, type: int16}"
    )
    assert [r.address for r in point.terms] == [0, 2]
    assert (point.terms[0].byte_order, point.terms[1].scale) == (LITTLE, -0.1)
    assert ([r.address for r in point.factors], point.exponent.codes) == ([9], ("8000",))


def test_a_profile_says_two_places():
    point = read(f"{HEAD}, either: [{{address: 1, type: int16}}, {{sum: [{{address: 2, type: int16}}]}}]")
    assert isinstance(point, EitherPoint)
    assert [r.address for r in point.registers] == [1, 2]


WRONG = {
    "no place": (HEAD, "stands at no place"),
    "an address without a type": (f"{HEAD}, address: 1", "stands at no place"),
    "two places": (f"{HEAD}, address: 1, type: int16, sum: [{{address: 1, type: int16}}]", "more than one"),
    "a scale of a sum": (f"{HEAD}, scale: 2, sum: [{{address: 1, type: int16}}]", "stand at each number"),
    "a scale of nothing": (f"{HEAD}, address: 1, type: int16, scale: 0", "any number but 0"),
    "a bit in a register": (f"{HEAD}, address: 1, type: bit", "nothing that the holding table holds"),
    "a number in a coil": (f"{HEAD}, address: 1, type: int16, table: coil", "nothing that the coil table holds"),
    "a text without a length": (f"{HEAD}, address: 1, type: text", "length 0 is wrong"),
    "a mask of a float": (f"{HEAD}, address: 1, type: float32, mask: 3", "mask 0x3 is wrong"),
    "a mask beyond the number": (f"{HEAD}, address: 1, type: uint16, mask: 0x10000", "mask 0x10000 is wrong"),
    "beyond the last register": (f"{HEAD}, address: 65535, type: int32", "beyond the last register"),
    "a wrong code in a sum": (
        f"{HEAD}, sum: [{{address: 1, type: int16, not_available: [FFFFFF]}}]", "no code of int16"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("point", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_line(point, said):
    with pytest.raises(ConfigError, match=said) as error:
        read(point)
    assert "test/one.yaml:9" in str(error.value)

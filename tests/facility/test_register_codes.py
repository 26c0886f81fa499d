"""Which bit patterns in a register are no value: by default, as a profile states them, and as older profiles did."""

from __future__ import annotations

import pytest

from edge_agent.drivers.modbus.registers import decode_registers
from facility.documents.profile import load_profile
from facility.protocols.modbus.coding import Coding, default_codes
from facility.quantities import Quantity

PROFILE = """\
profile: acme/m1
name: Acme M1
kind: electricity
protocol: modbus
sources:
  - {{document: Acme M1 manual, version: "2", section: "4.1"}}
modbus: {{table: holding{device}}}
registers:
  - {{quantity: {quantity}, unit: "{unit}", address: 0, type: {coding}{register}}}
examples:
  - {{note: computed, registers: {{0: [0, 0, 0, 1]}}, expect: {{}}}}
"""

POWER, ENERGY, VOLTAGE, SMOKE = Quantity.ACTIVE_POWER, Quantity.ENERGY_IMPORT, Quantity.VOLTAGE, Quantity.SMOKE


def loaded(coding, quantity=POWER, device="", register=""):
    text = PROFILE.format(
        coding=coding, quantity=quantity.word, unit=quantity.unit, device=device, register=register and f", {register}"
    )
    return load_profile(text, "acme/m1.yaml")


def said(digits, coding, quantity=POWER, device="", register=""):
    """What registers that hold these hex digits say."""
    (point,) = loaded(coding, quantity, device, register).points
    return decode_registers(point, [int(digits[i : i + 4], 16) for i in range(0, len(digits), 4)])


def stated(codes):
    return f", not_available: {{source: Acme M1 manual 5.2, codes: {codes}}}"


CODES = [
    ("FFFF", "uint16", POWER),
    ("7FFF", "int16", POWER),
    ("8000", "int16", POWER),
    ("FFFF", "int16", VOLTAGE),
    ("FFFFFFFF", "uint32", ENERGY),
    ("7FFFFFFF", "uint32", ENERGY),
    ("80000000", "uint32", ENERGY),
    ("FFFF0000", "uint32", VOLTAGE),
    ("7FFFFFFF", "int32", POWER),
    ("7FFF0000", "int32", POWER),
    ("80000000", "int32", POWER),
    ("80001234", "int32", ENERGY),
    ("FFFFFFFF", "int32", ENERGY),
    ("FFFFFFFFFFFFFFFF", "uint64", ENERGY),
    ("FFFF000000000000", "uint64", ENERGY),
    ("7FFFFFFFFFFFFFFF", "uint64", ENERGY),
    ("8000000000000000", "int64", POWER),
    ("7FFF000000000000", "int64", POWER),
    ("FFFFFFFFFFFFFFFF", "int64", ENERGY),
    ("FFFFFFFF", "float32", POWER),
    ("7F800000", "float32", POWER),
    ("FF800000", "float32", POWER),
    ("7F7FFFFF", "float32", POWER),
    ("7FEFFFFFFFFFFFFF", "float64", POWER),
]

TRUE = [
    ("FFFF", "int16", POWER, -1),
    ("7FFE", "int16", POWER, 32766),
    ("8001", "int16", POWER, -32767),
    ("7FFF", "uint16", POWER, 32767),
    ("8000", "uint16", POWER, 32768),
    ("FFFFFFFF", "int32", POWER, -1),
    ("FFFF0000", "int32", POWER, -65536),
    ("FFFFFFFE", "uint32", ENERGY, 4294967294),
    ("FFFF0000", "uint32", ENERGY, 4294901760),
    ("7FFF0000", "uint32", ENERGY, 2147418112),
    ("0000FFFF", "uint32", ENERGY, 65535),
    ("00007FFF", "int32", ENERGY, 32767),
    ("FFFFFFFFFFFFFFFF", "int64", POWER, -1),
    ("FFFF", "uint16", SMOKE, 65535),
    ("FFFF", "int16", SMOKE, -1),
    ("80000000", "float32", POWER, 0),
    ("BF800000", "float32", POWER, -1),
]


@pytest.mark.parametrize(("digits", "coding", "quantity"), CODES)
def test_what_nobody_stated_is_no_value_by_default(digits, coding, quantity):
    assert said(digits, coding, quantity) is None


@pytest.mark.parametrize(("digits", "coding", "quantity", "value"), TRUE)
def test_a_true_value_is_none_of_the_default(digits, coding, quantity, value):
    assert said(digits, coding, quantity) == value


def test_every_coding_of_whole_numbers_has_a_default():
    whole = [coding for coding in Coding if "int" in coding]
    assert len(whole) == 10
    assert all(default_codes(coding, quantity) for coding in whole for quantity in (POWER, ENERGY, VOLTAGE))


@pytest.mark.parametrize("written", [", not_available: {source: s, codes: {uint32: none}}", "not_available: none"])
def test_none_makes_all_ones_a_value(written):
    where = {"device": written} if written.startswith(",") else {"register": written}
    assert said("FFFFFFFF", "uint32", ENERGY, **where) == 4294967295


@pytest.mark.parametrize(
    ("codes", "digits", "coding", "value"),
    [
        ("[0x7FFE]", "7FFE", "int16", None),
        ("[0x7FFE]", "8000", "int16", -32768),
        ("[0x7FFE, default]", "8000", "int16", None),
        ("0x7FFE", "7FFE", "int16", None),
        ("[-32767]", "8001", "int16", None),
        ("[FFFFxxxx]", "FFFF1234", "int32", None),
        ("[ffffXXXX]", "FFFF1234", "int32", None),
        ("[FFFFxxxx]", "FFFE1234", "int32", -0x1EDCC),
        ("[7FFFxxxxxxxxxxxx]", "7FFF000000000001", "int64", None),
        ("['80000000']", "80000000", "int32", None),
        ("[-9999]", "C61C3C00", "float32", None),
        ("[-9999.0]", "C61C3C00", "float32", None),
        ("[0x7E000000]", "7E000000", "float32", None),
        ("none", "7FC00000", "float32", None),
        ("none", "7F7FFFFF", "float32", None),
    ],
)
def test_a_profile_states_codes_for_a_type_or_a_register(codes, digits, coding, value):
    assert said(digits, coding, device=stated(f"{{{coding}: {codes}}}")) == value
    assert said(digits, coding, register=f"not_available: {codes}") == value


def test_a_registers_own_codes_win_over_those_of_its_type():
    device = stated("{int16: [0x7FFE]}")
    assert said("7FFE", "int16", device=device, register="not_available: default") == 0x7FFE
    assert said("8000", "int16", device=device, register="not_available: default") is None


def test_a_type_that_is_not_named_keeps_the_default():
    assert said("8000", "int16", device=stated("{int32: none}")) is None


@pytest.mark.parametrize("digits", ["8000", "7FFF", "1234"])
def test_codes_of_an_older_profile_are_read_and_the_default_holds_beside_them(digits):
    assert said(digits, "int16", register="unavailable: [0x8000, 0x1234, 0x12345678]") is None


def test_a_profile_says_for_people_what_is_no_value_and_who_says_so():
    assert loaded("int32", ENERGY).no_value() == ("int32: 7FFFxxxx, 8000xxxx, FFFFFFFF (default)",)
    assert loaded("int16", device=stated("{int16: [0x8000]}")).no_value() == ("int16: 8000", "Acme M1 manual 5.2")
    assert loaded("int16", register="not_available: none").no_value() == ("int16: none",)
    assert loaded("float32").no_value() == ("float32: NaN",)

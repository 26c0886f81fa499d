"""A wrong profile is refused with file, line, what is wrong and what is allowed; reading one runs no code."""

from __future__ import annotations

import pytest

from facility.documents.profile import load_profile
from facility.errors import ConfigError
from facility.protocols.json_values import TextNumber

GOOD = """\
profile: acme/m1
name: Acme M1
kind: electricity
protocol: modbus
sources:
  - {document: Acme M1 manual, version: "2", section: "4.1"}
modbus: {table: input}
registers:
  - quantity: active_power
    unit: W
    address: 0x10
    type: float32
  - {quantity: energy_import, unit: kWh, address: 18, type: uint32, scale: 0.01}
examples:
  - note: computed
    registers: {16: [0x44A0, 0x1000]}
    expect: {active_power/total: 1280.5}
"""


def problems(old, new):
    """What the loader says of the good profile with one piece exchanged."""
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as refused:
        load_profile(GOOD.replace(old, new), "acme/m1.yaml")
    return str(refused.value)


def test_the_good_profile_loads():
    profile = load_profile(GOOD, "acme/m1.yaml")
    assert [point.address for point in profile.points] == [16, 18]


@pytest.mark.parametrize(
    ("old", "new", "where", "what", "allowed"),
    [
        ("quantity: active_power", "quantity: power", 9, "unknown quantity 'power'", "active_power, energy_import"),
        ("unit: W\n", "unit: kW\n", 10, "unit 'kW' is wrong for active_power", "(allowed: W)"),
        ("    type: float32", "    typ: float32", 12, "unknown key 'typ'", "address, type, table"),
        ("modbus: {table", "modbus: {tabel", 7, "unknown key 'tabel'", "table, word_order"),
        ("kind: electricity", "kynd: electricity", 3, "unknown key 'kynd'", "profile, name, kind"),
        ("type: float32", "type: float", 12, "registers.0.type is 'float'", "float32"),
        ("kind: electricity", "kind: power", 3, "kind is 'power'", "electricity"),
        ("energy_import, unit: kWh", "active_power, unit: W", 13, "active_power/total is written twice", ""),
        ("acme/m1\n", "Acme M1\n", 1, "profile is 'Acme M1'", "maker/model"),
        ("address: 0x10", "address: 65536", 11, "registers.0.address is '65536'", "65535"),
        ("scale: 0.01", "scale: 0", 13, "registers.1.scale is '0'", "any number but 0"),
        ("scale: 0.01", "not_available: [8000x]", 13, "'8000x' is no code of uint32", "none, default, or a list"),
        ("scale: 0.01", "not_available: nothing", 13, "'nothing' is no code of uint32", "[7FFFxxxx]"),
        ("scale: 0.01", "not_available: [xxxxxxxx]", 13, "'xxxxxxxx' is no code", ""),
        ("scale: 0.01", "not_available: [0x1FFFFFFFF]", 13, "'8589934591' is no code of uint32", ""),
        ("scale: 0.01", "not_available: [-2147483649]", 13, "'-2147483649' is no code of uint32", ""),
        ("scale: 0.01", "not_available: false", 13, "'false' is no code of uint32", "none, default"),
        ("scale: 0.01", "not_available: [default, true]", 13, "'true' is no code of uint32", ""),
        ("scale: 0.01", "not_available: [1.5]", 13, "'1.5' is no code of uint32", ""),
        (
            "modbus: {table: input}",
            "modbus: {table: input, not_available: {source: manual, codes: {int16: [0x18000]}}}",
            7,
            "'98304' is no code of int16",
            "none, default",
        ),
        ("table: input}", "table: input, not_available: {codes: {int16: none}}}", 7, "'source' is missing", ""),
        (
            "table: input}",
            "table: input, not_available: {source: s, codes: {int8: none}}}",
            7,
            "codes.int8 is",
            "uint16",
        ),
        ("scale: 0.01", "channel: a/b", 13, "registers.1.channel is 'a/b'", "a to z, 0 to 9 and _"),
        ("0x44A0, ", "0x144A0, ", 16, "'83104'", "65535"),
        (
            "expect: {active_power/total",
            "expect: {power/total",
            17,
            "'power/total' is not a point",
            "active_power/total",
        ),
        (
            "registers: {16: [0x44A0, 0x1000]}",
            "topic: t",
            16,
            "unknown key 'topic'",
            "note, expect, captured, registers",
        ),
        ("registers: {16: [0x44A0, 0x1000]}", "registers: {}", 16, "registers is empty", "at least 1"),
        ("protocol: modbus", "protocol: mqtt_json", 8, "unknown key 'registers'", "protocol, messages, examples"),
        ("protocol: modbus", "protocol: modbas", 4, "unknown protocol 'modbas'", "modbus, mqtt_json"),
        ("protocol: modbus\n", "", 1, "'protocol' is missing", "modbus, mqtt_json"),
        ("modbus: {table: input}\n", "", 1, "'modbus' is missing", ""),
        ("name: Acme M1\n", "", 1, "'name' is missing", ""),
        ("name: Acme M1\n", "name: Acme M1\nname: Acme M2\n", 3, "written twice", ""),
        ("modbus: {table: input}", "modbus: {table: input", 8, "not YAML", ""),
    ],
)
def test_a_mistake_is_named_with_file_line_and_what_is_allowed(old, new, where, what, allowed):
    said = problems(old, new)
    assert f"acme/m1.yaml:{where}: " in said
    assert what in said
    assert allowed in said


MESSAGES = """\
profile: acme/m2
name: Acme M2
kind: security
protocol: mqtt_json
sources: [{document: d, version: "1", section: s}]
messages:
  - quantity: door_open
    unit: "1"
    topic: acme/{unit}
    path: contact
    words: {"true": 0, "false": 1}
examples:
  - {note: n, topic: "acme/{unit}", payload: '{"contact":true}', expect: {door_open/total: 0}}
"""


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("acme/{unit}\n", "acme/#\n", 9, "topic 'acme/#' holds a wildcard"),
        ("acme/{unit}\n", "/acme/{unit}\n", 9, "begins or ends with a slash"),
        ("acme/{unit}\n", "'{unit}{unit}" + 70 * "/{unit}" + "'\n", 9, "bytes long"),
        ('"true": 0', '"true": 7', 11, "'true' means 7, which is no door_open"),
        ('"true": 0', '"true": 0.5', 11, "'true' means 0.5, which is no door_open"),
        ('"true": 0, "false": 1', '"1": 0, "1.0": 1', 11, "'1.0' and '1' are one number that means two things"),
        ("    path", "    also: [{topic: a/#, path: x}]\n    path", 10, "topic 'a/#' holds a wildcard"),
        ("    path", "    also: [{topic: 'acme/{unit}', path: x}]\n    path", 10, "stands there twice"),
        ("    path", "    text: {}\n    path", 10, "'words' and 'text' stand together"),
        ("    path", "    text: {decimal: ;}\n    path", 10, "messages.0.text.decimal is ';'"),
    ],
)
def test_a_message_that_nobody_could_hear_or_read_is_refused(old, new, where, what):
    load_profile(MESSAGES, "acme/m2.yaml")
    assert MESSAGES.count(old) == 1
    with pytest.raises(ConfigError) as refused:
        load_profile(MESSAGES.replace(old, new), "acme/m2.yaml")
    assert str(refused.value).startswith(f"acme/m2.yaml:{where}: ")
    assert what in str(refused.value)
    assert len(refused.value.problems) == 1


def test_a_number_as_text_is_declared_with_its_mark_and_unit():
    words = 'words: {"true": 0, "false": 1}'
    declared = MESSAGES.replace(words, 'text: {decimal: ",", unit: W}').replace("{door_open/total: 0}", "{}")
    assert load_profile(declared, "acme/m2.yaml").points[0].text == TextNumber(",", "W")


def test_sources_and_examples_cannot_be_left_out():
    assert "sources" in problems('  - {document: Acme M1 manual, version: "2", section: "4.1"}\n', "  []\n")
    without_examples = GOOD[: GOOD.index("examples:")]
    with pytest.raises(ConfigError, match="'examples' is missing"):
        load_profile(without_examples, "acme/m1.yaml")


def test_a_mistake_is_told_without_its_consequences():
    assert len(problems("unit: W\n", "unit: kW\n").splitlines()) == 1


def test_mistakes_are_told_together():
    twice = GOOD.replace("unit: W\n", "unit: kW\n").replace("quantity: energy_import", "quantity: energy")
    with pytest.raises(ConfigError) as refused:
        load_profile(twice, "acme/m1.yaml")
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.mkdir", "!!python/object/new:os.mkdir", "!run"])
def test_reading_a_profile_runs_no_code(tag, tmp_path):
    trap = tmp_path / "trap"
    problems("name: Acme M1", f"name: {tag} ['{trap}']")
    assert not trap.exists()

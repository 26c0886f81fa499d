"""What may stand in a site is said once by each protocol, and `site check` and the agent refuse the same."""

from __future__ import annotations

from contextlib import suppress

import pytest

from device_profiles import load_profiles
from edge_agent.devices import devices_of, refused_on
from edge_agent.drivers import DRIVERS
from edge_agent.drivers.base import AskingDriver, BusSeat
from facility.catalogue import Agent, Bus, Catalogue
from facility.documents.site import load_site
from facility.documents.site_export import dump_part
from facility.errors import ConfigError
from facility.model import Meter, Name, Point, Site
from facility.protocols import PROTOCOLS, SCHEMES, protocol_of
from facility.protocols.lines import NetworkLine, SerialLine
from facility.protocols.modbus.bus import modbus_line, modbus_unit
from facility.protocols.mqtt_json import json_broker, json_unit
from facility.tls_files import TlsFiles

SITE = """\
version: 1
site: {{id: s, name: S, timezone: UTC, currency: EUR}}
buildings: [{{id: b, name: B}}]
agents:
  - id: edge-1
    buses:
      - {{id: line, url: "{url}"}}
meters:
  - {{id: m1, name: M, building: b, profile: {profile}, agent: edge-1, bus: line,
     unit: "{unit}"}}
"""
METERS = {
    "modbus": "eastron/sdm120",
    "mqtt_json": "aqara/mccgq11lm",
    "dlt645": "dlt645/2007-single-phase",
    "cjt188": "cjt188/cold-water",
    "mbus": "kamstrup/multical-601",
    "http_json": "shelly/pro-3em-http",
    "bacnet": "generic/bacnet-water",
    "sparkplug": "generic/sparkplug-electricity",
}
TCP, RTU, THROUGH = "modbus+tcp://h", "modbus+rtu:///dev/ttyUSB0", "modbus+rtu-over-tcp://h"
RADIO, WEB = "mqtt://u:secret@localhost", "https://meter.example:8443"


def checked(url, profile, unit):
    """What `site check` says, or an empty text."""
    try:
        load_site(SITE.format(url=url, profile=profile, unit=unit), "site.yaml", load_profiles())
    except ConfigError as error:
        return str(error)
    return ""


def started(url, profile, unit):
    """What an agent says that got such a site in spite of all checks, or an empty text."""
    bus, model = Bus("line", url), load_profiles()[profile]
    meter = Meter("m1", Name("M"), "b", profile, "edge-1", "line", unit)
    points = tuple(Point("m1", p.quantity, p.channel) for p in model.points)
    catalogue = Catalogue(Site("s", Name("S"), "UTC", "EUR"), (), (), (), (Agent("edge-1", (bus,)),), (meter,), points)
    try:
        make = DRIVERS[protocol_of(bus)]
        seat = BusSeat(bus, devices_of(catalogue, load_profiles(), bus), print, lambda: (0, 0), lambda: 0.0)
        driver = make(seat)
        for device in seat.devices if isinstance(driver, AskingDriver) else ():
            driver.plan(device, device.places)
    except ConfigError as error:
        return str(error)
    return ""


HALVES = """\
version: 1
site: {{id: s, name: S, timezone: UTC, currency: EUR}}
buildings: [{{id: b, name: B}}]
agents:
  - id: edge-1
    buses: [{{id: line, url: "{url}"}}, {{id: other, url: "{other}"}}]
meters:
  - {{id: m1, name: M, building: b, profile: eastron/sdm120, agent: edge-1, bus: line, unit: "7"{first}}}
  - {{id: m2, name: M, building: b, profile: eastron/sdm120, agent: edge-1, bus: {bus}, unit: "{unit}"{second}}}
"""
SAYS_SO = ", shares_device: true"
HALF = {"url": TCP, "other": "modbus+tcp://elsewhere", "first": "", "bus": "line", "unit": "7", "second": ""}


def halves(**said):
    """Which meters `site check` and an agent refuse, each as a text."""
    text, profiles = HALVES.format(**HALF | said), load_profiles()
    try:
        load_site(text, "site.yaml", profiles)
        checked = ""
    except ConfigError as error:
        checked = str(error)
    extract = load_site(text, "site.yaml", profiles, reader="agent")
    return checked, {m: why for bus in extract.agent["edge-1"].buses for m, why in refused_on(extract, bus).items()}


@pytest.mark.parametrize(
    "said",
    [{}, {"unit": "07"}, {"second": SAYS_SO}, {"first": SAYS_SO}, {"bus": "other", "other": f"{TCP}:502"}],
)
def test_two_meters_at_one_address_are_refused_by_check_and_agent_alike(said):
    checked, refused = halves(**said)
    what = f"unit '{said.get('unit', '7')}' is that of meter m1"
    assert what in checked
    assert "site.yaml:9" in checked
    assert "shares_device: true at each meter" in checked
    assert refused.keys() == {"m2"}
    assert what in refused["m2"]


@pytest.mark.parametrize("said", [{"first": SAYS_SO, "second": SAYS_SO}, {"unit": "8"}, {"bus": "other"}])
def test_halves_of_one_device_say_so_and_other_addresses_need_not(said):
    assert halves(**said) == ("", {})


def test_an_export_keeps_that_a_device_is_shared():
    catalogue = load_site(HALVES.format(**HALF | {"first": SAYS_SO, "second": SAYS_SO}), "site.yaml", load_profiles())
    assert load_site(dump_part(catalogue, "edge-1"), "site.yaml", load_profiles()).meters == catalogue.meters


def test_every_protocol_has_a_driver_and_schemes_of_its_own():
    assert DRIVERS.keys() == PROTOCOLS.keys() == METERS.keys()
    assert len(SCHEMES) == sum(len(rules.schemes) for rules in PROTOCOLS.values())


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (RTU, {*range(1, 248)}),
        ("modbus+ascii:///dev/ttyUSB0", {*range(1, 248)}),
        (THROUGH, {*range(1, 248)}),
        (TCP, {0, *range(1, 248), 255}),
        ("modbus+udp://h", {0, *range(1, 248), 255}),
        ("modbus+tls://h", {0, *range(1, 248), 255}),
    ],
)
def test_a_modbus_address_is_one_that_a_device_on_such_a_bus_can_have(url, allowed):
    """Serial line V1.02, 2.2; Messaging on TCP/IP Implementation Guide V1.0b, 4.4.2."""
    bus, lawful = Bus("line", url), set()
    for unit in range(-1, 300):
        with suppress(ConfigError):
            lawful.add(modbus_unit(bus, str(unit)))
    assert lawful == allowed


@pytest.mark.parametrize("unit", ["", "one", "1.0", "+1", "٣", "0x1", "256", "-0"])
def test_what_is_no_plain_number_is_no_modbus_address(unit):
    with pytest.raises(ConfigError, match="is no Modbus address"):
        modbus_unit(Bus("line", TCP), unit)


BAD_UNITS = ["", "+", "a/#", "a/+/b", "\0", "a\nb", "\x85", "\ud800", "\uffff", "x" * 70_000, "表" * 334]
BAD_UNITS += ["/a", "a/", "a//b", "$SYS", "$share/g/a"]


@pytest.mark.parametrize("unit", BAD_UNITS, ids=lambda unit: ascii(unit)[:20])
def test_a_wildcard_is_no_address_of_a_publishing_device(unit):
    with pytest.raises(ConfigError, match="is no part of a topic") as refused:
        json_unit(Bus("radio", RADIO), unit)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


def test_an_address_of_a_publishing_device_may_have_levels_and_spaces():
    for unit in ("north wing/door 1", "0x00158d0001d2a3f4", "配电室/总表", "x" * 1000):
        assert json_unit(Bus("radio", RADIO), unit) == unit


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("modbus+tcp://gateway", NetworkLine("gateway", 502, has_rtu_frames=False)),
        ("MODBUS+TCP://[::1]:5020", NetworkLine("::1", 5020, has_rtu_frames=False)),
        ("modbus+rtu-over-tcp://10.0.0.7:4001", NetworkLine("10.0.0.7", 4001, has_rtu_frames=True)),
        ("modbus+udp://10.0.0.7", NetworkLine("10.0.0.7", 502, has_rtu_frames=False, is_datagrams=True)),
        ("modbus+tls://gateway", NetworkLine("gateway", 802, has_rtu_frames=False, tls=TlsFiles())),
        (
            "modbus+tls://gateway:8020?ca=/etc/ca.pem&cert=/etc/a.pem&key=/etc/a.key",
            NetworkLine("gateway", 8020, has_rtu_frames=False, tls=TlsFiles("/etc/ca.pem", "/etc/a.pem", "/etc/a.key")),
        ),
        ("modbus+ascii:///dev/ttyUSB0", SerialLine("/dev/ttyUSB0", 9600, "E", 1, data_bits=7)),
        ("modbus+ascii:///dev/ttyUSB0?parity=N&bits=8", SerialLine("/dev/ttyUSB0", 9600, "N", 1)),
        ("modbus+rtu:///dev/ttyUSB0", SerialLine("/dev/ttyUSB0", 9600, "N", 1)),
        ("modbus+rtu://localhost/dev/ttyS1?baud=19200&parity=E&stop=2", SerialLine("/dev/ttyS1", 19200, "E", 2)),
    ],
)
def test_a_modbus_url_names_its_line(url, line):
    assert modbus_line(Bus("line", url)) == line


WRONG_URLS = [
    "modbus+tcp://",
    "modbus+tcp://h:x",
    "modbus+tcp://h:99999",
    "modbus+tcp://h:0",
    "modbus+tcp://a..b",
    "modbus+tcp://a b:502",
    "modbus+rtu-over-tcp://" + "h" * 64,
    "mqtt://h:0",
    "mqtt://a..b",
    "modbus+tcp://[h",
    "modbus+rtu-over-tcp:///dev/x",
    "modbus+rtu://",
    "modbus+rtu:///",
    "modbus+rtu://dev/ttyUSB0",
    "modbus+rtu://[dev",
    "modbus+rtu:///dev/x?baud=fast",
    "modbus+rtu:///dev/x?baud=0",
    "modbus+rtu:///dev/x?baud=",
    "modbus+rtu:///dev/x?speed=1",
    "modbus+rtu:///dev/x?parity=none",
    "modbus+rtu:///dev/x?stop=1.5",
    "modbus+rtu:///dev/x?bits=7",
    "modbus+ascii:///dev/x?bits=6",
    "modbus+ascii://h:502",
    "modbus+udp:///dev/x",
    "modbus+tls://h?ca",
    "modbus+tls://h?password=p",
    "modbus+tls://h?key=/a.key",
    "mqtt://",
    "mqtt://u:secret/word@h",
    "ftp://h",
    "http://h/status",
    "http://u@h",
    "https://u:secret@",
    "http://h#secret",
    "http://h?ca=/a.pem",
    "https://h?user=u",
    "https://:80",
    "h:502",
    "",
]
OTHERS = {"modbus": "mqtt_json", "mqtt_json": "modbus", "http_json": "modbus"}


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_url_that_names_no_bus_is_refused_by_both_at_its_line_and_without_its_password(url):
    speaks = {"mqtt": "mqtt_json", "http": "http_json"}
    profile = METERS[speaks.get(url[:4], "modbus")]
    said = checked(url, profile, "1")
    assert said.startswith("site.yaml:7: ")
    assert "(allowed: " in said
    assert len(said.splitlines()) == 1
    assert started(url, profile, "1")
    assert "secret" not in said + started(url, profile, "1")


@pytest.mark.parametrize(
    ("url", "unit"), [(RTU, "0"), (RTU, "248"), (THROUGH, "255"), (TCP, "248"), (RADIO, "#"), (WEB, "a/b")]
)
def test_an_address_that_no_device_can_have_is_refused_by_both(url, unit):
    profile = METERS[protocol_of(Bus("line", url))]
    assert checked(url, profile, unit).startswith(f"site.yaml:10: unit '{unit}' is no ")
    assert f"unit '{unit}' is no " in started(url, profile, unit)


@pytest.mark.parametrize(
    ("url", "unit"), [(RTU, "1"), (RTU, "247"), (THROUGH, "9"), (TCP, "0"), (TCP, "255"), (RADIO, "x"), (WEB, "0")]
)
def test_what_the_check_lets_through_the_agent_takes(url, unit):
    profile = METERS[protocol_of(Bus("line", url))]
    assert (checked(url, profile, unit), started(url, profile, unit)) == ("", "")


@pytest.mark.parametrize("url", [TCP, RTU, THROUGH, RADIO, WEB])
def test_a_device_that_does_not_speak_what_its_bus_speaks_is_refused_by_both(url):
    """It would never be heard, and nobody would know why."""
    profile = METERS[OTHERS[protocol_of(Bus("line", url))]]
    assert checked(url, profile, "1").startswith(f"site.yaml:9: {profile} speaks ")
    assert f"{profile} speaks " in started(url, profile, "1")


def test_a_wrong_bus_is_told_once_however_many_meters_are_on_it():
    text = SITE.format(url="modbus+tcp://", profile=METERS["modbus"], unit="1")
    meter = text[text.index("  - {id: m1") :]
    with pytest.raises(ConfigError) as refused:
        load_site(text + meter.replace("id: m1", "id: m2"), "site.yaml", load_profiles())
    assert len(refused.value.problems) == 1


def test_a_broker_may_go_without_credentials():
    assert json_broker(Bus("radio", "mqtt://localhost:1884")).port == 1884

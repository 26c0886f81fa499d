"""What is lawful YAML and would still stop a process or leave figures out later is refused, and agents go on."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from pathlib import Path

import pytest
from rigs.trials import FULL, seeded
from ruamel.yaml import YAML

from accounting.calendars import SiteCalendar
from device_profiles import load_profiles
from edge_agent.devices import devices_of, refused_on
from edge_agent.extract import read_extract
from facility.documents.site import load_site
from facility.documents.site_export import dump_part, dump_site
from facility.errors import ConfigError
from stores.site_file import read_site

EXAMPLE = (Path(__file__).parents[2] / "docs" / "site-example.yaml").read_text(encoding="utf-8")
PROFILES = load_profiles()


def line_of(piece):
    """Where the example has it."""
    assert EXAMPLE.count(piece) == 1
    return EXAMPLE[: EXAMPLE.index(piece)].count("\n") + 1


def refusal(old, new):
    """What the registry says of the example with one piece exchanged; an agent takes it all the same."""
    text = EXAMPLE.replace(old, new)
    with pytest.raises(ConfigError) as refused:
        load_site(text, "site.yaml", PROFILES, reader="registry")
    assert len(refused.value.problems) == 1
    load_site(text, "site.yaml", PROFILES, reader="agent")
    return str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("en: Town hall estate", "en: ' '", "a name is empty"),
        ("zh: 市政园区", "zh: ' '", "a name is empty"),
        ("timezone: Asia/Shanghai", "timezone: localtime", "'localtime' is another zone elsewhere"),
        ("name: Gas main", "name: ''", "a name is empty"),
        ("{en: Trial run, zh: 试运行}", "''", "a name is empty"),
        ("last: 2026-07-31", "last: 2026-07-19", "2026-07-19 lies before 2026-07-20"),
        ('"20:00-06:00"', '"08:00-08:00"', "'08:00-08:00' ends as it begins"),
        ("high: 1000000", "high: -5", "nothing lies between low 0 and high -5 (allowed: 0 to 1e+09)"),
    ],
)
def test_what_would_be_nothing_is_refused_with_its_line_but_stops_no_agent(old, new, what):
    assert refusal(old, new).startswith(f"site.yaml:{line_of(old)}: {what}")


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("modbus+tcp://10.0.0.1:502/5", "the URL says more than is read there"),
        ("modbus+tcp://10.0.0.1?timeout=5", "the URL says more than is read there"),
        ("modbus+rtu-over-tcp://me:secret@10.0.0.1", "the URL says more than is read there"),
        ("modbus+tcp://10.0.0.999", "'10.0.0.999' is no IPv4 address"),
        ("modbus+tcp://10.0.1", "'10.0.1' is no IPv4 address"),
    ],
)
def test_what_a_url_says_to_nobody_is_refused_but_stops_no_agent(url, what):
    old = "modbus+rtu:///dev/ttyUSB0?baud=9600&parity=N"
    said = refusal(old, url)
    assert said.startswith(f"site.yaml:{line_of(old)}: {what} (allowed: modbus+")
    assert "secret" not in said


def test_a_broker_has_no_topic_in_its_url():
    first = "  - id: edge-1  # its id, which"
    for url in ("mqtt://localhost:1883/zigbee2mqtt", "mqtts://me/secret@h"):
        said = refusal(first, f"  - {{id: edge-2, buses: [{{id: x, url: '{url}'}}]}}\n{first}")
        assert said.endswith(f": the URL says more than is read there (allowed: {url.partition(':')[0]}://host:port)")


@pytest.mark.parametrize("zone", ["Asia", "Asia/", "/etc/passwd", "../../etc/passwd", "Asia/Beijing", "\\u202e"])
def test_a_folder_of_zones_and_an_invented_one_are_no_time_zone(zone):
    text = EXAMPLE.replace("timezone: Asia/Shanghai", f'timezone: "{zone}"')
    with pytest.raises(ConfigError, match=r"site.yaml:9: unknown time zone '.*' \(allowed: an IANA name") as refused:
        load_site(text, "site.yaml", PROFILES)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("span", ["08:00Z-18:00", "08:00-18:00+08:00", "8-18", "2024-01-02", "18:00", "08:00-24:00"])
@pytest.mark.parametrize("kind", ["hours", "armed"])
def test_hours_that_are_none_are_refused_with_what_is_allowed(kind, span):
    was = {"hours": '"08:00-18:00"', "armed": '"20:00-06:00"'}[kind]
    with pytest.raises(ConfigError, match=r"is not a span of hours \(allowed: two local times, such as 08:00-18:00"):
        load_site(EXAMPLE.replace(was, f'"{span}"'), "site.yaml", PROFILES)


@pytest.mark.parametrize(("days", "weekdays"), [("fri-mon", {4, 5, 6, 0}), ("sun-mon", {6, 0}), ("sat", {5})])
def test_days_may_run_over_sunday(days, weekdays):
    """They were no day at all."""
    (hall,) = load_site(EXAMPLE.replace("{mon-fri:", f"{{{days}:"), "site.yaml", PROFILES).buildings
    assert hall.hours.keys() == weekdays


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("country: CN", "country: China PR", ":14: no public holidays are known of a country 'China PR'"),
        ("country: CN", "country: PUBLIC", ":14: no public holidays are known of a country 'PUBLIC'"),
        ("country: CN", "country: \u202e", r":14: no public holidays are known of a country '\\u202e'"),
        ('subdivision: ""', "subdivision: BJ", ":15: 'BJ' is no part of CN .* .allowed: none."),
        ("shift_days: 0", "shift_days: 99999999", r":16: site.holidays.shift_days is '99999999' .allowed: at most"),
    ],
)
def test_holidays_that_nobody_knows_are_told_with_their_line(tmp_path, old, new, words):
    assert EXAMPLE.count(old) == 1
    (tmp_path / "site.yaml").write_text(EXAMPLE.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_site(tmp_path / "site.yaml", PROFILES)


def test_an_agent_whose_meters_are_yet_to_come_starts_with_what_is_exported_for_it():
    """It has no building, the tariff names one, and it could not start for either."""
    first = "  - id: edge-1  # its id, which"
    assert EXAMPLE.count(first) == 1
    text = EXAMPLE.replace(first, f"  - {{id: edge-2, buses: [{{id: x, url: 'mqtts://h'}}]}}\n{first}")
    estate = load_site(text, "site.yaml", PROFILES, reader="registry")
    part = load_site(dump_part(estate, "edge-2"), "site.yaml", PROFILES, reader="agent")
    assert (part.meters, part.buildings, [agent.id for agent in part.agents]) == ((), (), ["edge-2"])
    assert (part.site.tariffs, part.site.prices) == ((), ())
    with pytest.raises(ConfigError, match="buildings is empty"):
        load_site(dump_part(estate, "edge-2"), "site.yaml", PROFILES, reader="registry")


def test_an_agent_whose_file_is_no_utf_8_is_told_so(tmp_path):
    """It ended in a traceback."""
    (tmp_path / "site.yaml").write_bytes("name: 市政厅".encode("gbk"))
    with pytest.raises(ConfigError, match=r"site.yaml: is not UTF-8 text \(byte 6\)"):
        read_extract(tmp_path / "site.yaml", "edge-1", PROFILES)


ODD = [None, "", " ", True, 0, -1, 1e308, 1e-320, float("nan"), float("inf"), 10**30, "2024-01-02", "9999-12-31 23:59"]
ODD += [
    "0001-01-01",
    "12:30",
    [],
    {},
    [1],
    {"a": 1},
    "+",
    "$SYS",
    "\u202e",
    "\x1b[31m",
    "x" * 5000,
    "一二三",
    "US",
    "Asia",
]
ODD += [
    "sun-mon",
    "00:00-00:00",
    "08:00Z-18:00",
    "virtual",
    "water",
    "public",
    "mqtt://h",
    "modbus+tcp://h",
    0.5,
    "0x10",
]


def places(node, place=()):
    """Every place of a tree."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, one in below:
        yield (*place, key)
        yield from places(one, (*place, key))


def test_what_the_check_lets_pass_is_taken_by_agents_and_by_the_calendar():
    """One field of the example is something else, or is not there; the whole of it is tried with FULL=1."""
    good, chance = YAML(typ="safe").load(EXAMPLE), seeded()
    trials = [(place, odd) for place in places(good) for odd in (*ODD, places)]
    taken = 0
    for place, odd in trials if FULL else chance.sample(trials, 40):
        tree = deepcopy(good)
        node = tree
        for step in place[:-1]:
            node = node[step]
        node[place[-1]] = odd
        if odd is places:
            del node[place[-1]]
        taken += is_taken(written(tree))
    assert taken


def written(node):
    """A document in YAML, all on one line."""
    if isinstance(node, dict):
        return f"{{{', '.join(f'{written(key)}: {written(one)}' for key, one in node.items())}}}"
    if isinstance(node, list):
        return f"[{', '.join(map(written, node))}]"
    if isinstance(node, float) and not math.isfinite(node):
        return f".{node}"
    return json.dumps(node, default=str)


def is_taken(text):
    """Whether the check lets it pass; then everybody takes it, or else it says why in lines that can be shown."""
    try:
        estate = load_site(text, "site.yaml", PROFILES, reader="registry")
        calendar = SiteCalendar(estate.site)
    except ConfigError as error:
        said = str(error)
    else:
        _everybody_takes(estate, calendar)
        return True
    assert all(len(line) < 1500 and line.isprintable() for line in said.splitlines())
    return False


def _everybody_takes(estate, calendar):
    calendar.closed_days([2026])
    calendar.unadjusted_years([2026])
    assert load_site(dump_site(estate), "site.yaml", PROFILES, reader="registry") == estate
    for agent in estate.agents:
        part = load_site(dump_part(estate, agent.id), "site.yaml", PROFILES, reader="agent")
        for bus in part.agent[agent.id].buses:
            assert not refused_on(part, bus)
            devices_of(part, PROFILES, bus)

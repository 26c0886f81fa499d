import datetime as dt

import pytest
from rigs.estate import PROFILES, SITE

from facility.documents.site import load_site
from facility.documents.site_export import dump_site
from facility.errors import ConfigError
from facility.levels import Level
from facility.model import DayHours, MeterRole
from facility.quantities import Quantity, Utility


def load(text: str = SITE):
    return load_site(text, "site.yaml", PROFILES)


def problem(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return str(caught.value)


def test_an_estate_is_read_whole():
    estate = load()
    assert estate.site.timezone == "Europe/London"
    assert estate.building["hall"].hours[5] == DayHours(dt.time(9), dt.time(12))
    assert 6 not in estate.building["hall"].hours
    (head,) = estate.head_meters("hall", Utility.ELECTRICITY)
    assert head.role is MeterRole.HEAD
    assert [p.id for p in estate.points] == [
        "hall-main/active_power/total",
        "hall-main/energy_import/total",
        "hall-door/door_open/total",
    ]
    assert estate.find_point("hall-door", Quantity.DOOR_OPEN).level is Level.RESTRICTED


def test_an_export_loads_as_the_same_estate():
    assert load(dump_site(load())) == load()


BANNER = "currency: GBP\n  banner: {en: Heating works, zh: 供暖改造}"


def test_the_banner_may_still_be_called_notice_and_is_written_as_banner():
    """So it was called in site files of the release before."""
    new, old = (load(SITE.replace("currency: GBP", BANNER.replace("banner", key))) for key in ("banner", "notice"))
    assert new == old
    assert new.site.banner.in_language("zh-Hans") == "供暖改造"
    assert "banner:" in dump_site(old)
    assert "notice:" not in dump_site(old)
    both = SITE.replace("currency: GBP", f"{BANNER}\n  notice: Heating works")
    assert "site.yaml:8: unknown key 'notice' (allowed: " in problem(both)


def test_an_agent_gets_no_banner_which_one_of_the_release_before_would_refuse():
    assert load(SITE.replace("currency: GBP", BANNER)).part_for("edge-1").site.banner is None


def test_an_agent_learns_only_its_own_part():
    text = SITE.replace("agents:\n", "agents:\n  - {id: edge-2, buses: [{id: x, url: 'mqtt://127.0.0.1:1'}]}\n")
    assert load(text).part_for("edge-2").meters == ()
    assert len(load(text).part_for("edge-1").meters) == 2


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("profile: test/meter", "profile: test/meterr", 34, ["unknown profile 'test/meterr'", "test/door, test/meter"]),
        ("id: hall-door", "id: hall-main", 40, ["duplicate id 'hall-main' in meters"]),
        ("bus: radio", "bus: radioo", 45, ["no bus 'radioo'", "gateway, radio"]),
        ("building: hall\n    space", "building: hal\n    space", 32, ["unknown building 'hal'", "allowed: hall"]),
        ("level: restricted", "level: secret", 47, ["unknown level 'secret'", "public, internal"]),
        ("level: restricted", "level: core", 47, ["never enter"]),
        ("timezone: Europe/London", "timezone: Europe/Londn", 5, ["unknown time zone", "Asia/Shanghai"]),
        ("mon-fri:", "mon-fry:", 21, ["unknown days 'mon-fry'"]),
        ("currency: GBP", "currency: GBP\n  colour: red", 7, ["unknown key 'colour'"]),
        ("    bus: gateway\n", "", 30, ["'bus' is missing"]),
        ("unit: front", "unit: front\n    poll_s: 0", 47, ["poll_s is '0'", "(allowed: at least 1)"]),
        ("role: head", "role: head\n    ct_ratio: .nan", 40, ["ct_ratio is 'nan'", "finite number"]),
        ("role: head", "role: head\n    most_per_hour: .inf", 40, ["most_per_hour is 'inf'", "finite number"]),
        ("role: head", "role: boss", 39, ["role is 'boss' (allowed: head, sub, "]),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(before, after, line, words):
    assert before in SITE
    text = problem(SITE.replace(before, after))
    assert f"site.yaml:{line}: " in text
    assert all(word in text for word in words), text


def test_a_chosen_point_must_be_said_by_its_profile_in_its_unit():
    points = "    points: [{quantity: co2}, {quantity: warmth}, {quantity: active_power, unit: kW}]\n"
    text = problem(SITE.replace("    role: head\n", f"    role: head\n{points}"))
    assert "test/meter does not say co2/total (allowed: active_power/total" in text
    assert "unknown quantity 'warmth' (allowed: active_power, " in text
    assert "unit 'kW' is wrong for active_power (allowed: W)" in text


ODD_UNITS = ["0x00158d0001d2a3f4", "00123456", "1_000", "0o17", "1e5", "on", "true", "2026-01-02", "null-1", "1.10"]


@pytest.mark.parametrize("unit", ODD_UNITS)
def test_an_id_without_quotes_keeps_what_was_written_and_survives_an_export(unit):
    text = SITE.replace("unit: front", f"unit: {unit}\n    serial: {unit}")
    for estate in (load(text), load(dump_site(load(text)))):
        assert (estate.meter["hall-door"].unit, estate.meter["hall-door"].serial) == (unit, unit)
    if "." not in unit:
        named = load(SITE.replace("hall-door", unit.lower()))
        assert unit.lower() in named.meter
        assert load(dump_site(named)) == named


@pytest.mark.parametrize("unit", ["", "~", "'+'", "'a/#'", "/front", '"\\ud83d"', '"\\0"', "x" * 70_000])
def test_a_unit_that_nobody_could_hear_is_refused_at_its_line_or_by_name(unit):
    said = problem(SITE.replace("unit: front", f"unit: {unit}"))
    assert said.startswith(("site.yaml:46: ", "site.yaml: "))
    assert len(said) < 400


def test_all_mistakes_are_told_at_once():
    text = problem(SITE.replace("test/meter", "nobody/knows").replace("Europe/London", "Nowhere"))
    assert text.count("site.yaml:") == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a: 1\na: 2\n", "site.yaml:2: this key is written twice"),
        ("a: [1\n", "not YAML"),
        ("- 1\n", "site.yaml:1"),
        ("!!python/object/apply:os.system ['true']\n", "site.yaml:1"),
    ],
)
def test_text_that_is_no_document_is_told_so(text, words):
    assert words in problem(text)

"""Dashboards as files: the same from the same estate, other only where the estate is, and nothing wrong with them."""

import copy
import json
import re
from pathlib import Path

import pytest
from rigs.boards import boards, estate, with_building, with_quantity, with_utility, without

from analytics.detectors import DETECTORS
from dashboards import DASHBOARDS, PER_BUILDING, WAITING
from dashboards.alerts import KINDS
from dashboards.build import SHIPPED, left_out, made, sheets_of, texts_of
from dashboards.check import problems, queries
from dashboards.kit import panel_id
from dashboards.sheet import Shape
from facility.errors import ConfigError
from facility.quantities import Utility
from wording.texts import LANGUAGES

ROOT = Path(__file__).parents[2]
LOBBIES = {f"lobby-{building.id}" for building in estate().buildings}


def paths(a, b, at=()):
    """Where two trees differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in a.keys() | b.keys():
            yield from paths(a.get(key), b.get(key), (*at, key))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for k, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from paths(one, other, (*at, k))
    elif a != b:
        yield at


def differing(other):
    """File without its folder → what is other in it, by the keys on the way there."""
    changed = made(other)
    found = {}
    for path in changed.keys() | boards().keys():
        for at in paths(boards().get(path), changed.get(path)):
            found.setdefault(path.partition("/")[2].removesuffix(".json"), set()).add(
                ".".join(key for key in at if isinstance(key, str))
            )
    return found


def test_all_twelve_are_made_in_both_languages_and_are_those_that_are_committed():
    assert {*DASHBOARDS, *PER_BUILDING} == {
        *("estate", "building", "patterns", "savings", "signature", "cost", "water", "meter", "alerts", "quality"),
        *("devices", "lobby"),
    }
    folder = ROOT / "dashboards" / "generated"
    committed = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.json")}
    assert committed == texts_of(boards())
    assert set(boards()) == {f"{language}/{key}.json" for language in LANGUAGES for key in (*DASHBOARDS, *LOBBIES)}


def test_nothing_is_wrong_with_those_of_the_demo():
    assert problems(boards(), estate()) == []


@pytest.mark.parametrize("other", [with_building, with_utility, with_quantity])
def test_nothing_is_wrong_with_those_of_another_estate(other):
    assert problems(made(other()), other()) == []


def test_a_new_building_is_on_every_list_of_buildings_and_has_a_lobby_and_nothing_else_changes():
    found = differing(with_building())
    assert found.pop("lobby-b99") == {""}
    assert not found.keys() & LOBBIES
    allowed = re.compile(
        r"templating\.list\.(options|query)|panels\.fieldConfig\.overrides\.properties\.value\.options"
    )
    strange = {key: {one for one in where if not allowed.match(one)} for key, where in found.items()}
    assert {key: where for key, where in strange.items() if where} == {"estate": {"panels.targets.query"}}, (
        "of how many head meters is counted there"
    )
    assert found.keys() == set(DASHBOARDS) - {"devices"}


def test_a_new_utility_is_a_choice_and_a_condition_and_nothing_else_changes():
    found = differing(with_utility())
    assert not found.keys() & (LOBBIES - {"lobby-b33"}), "no other building's lobby changes"
    allowed = re.compile(r"templating\.list\.(options|query)|panels\.(targets|fieldConfig\.overrides)")
    strange = {key: {one for one in where if not allowed.match(one)} for key, where in found.items()}
    assert {key: where for key, where in strange.items() if where} == {}
    assert {"estate", "building", "cost", "meter"} <= found.keys()


def test_a_new_quantity_is_one_more_line_on_the_page_of_a_meter():
    found = differing(with_quantity())
    assert set(found) == {"meter"}
    assert found["meter"] <= {"panels.targets", "panels.fieldConfig.overrides"} | {
        one for one in found["meter"] if one.startswith("panels.fieldConfig.overrides.properties.value.options")
    }


def test_two_languages_differ_in_words_and_addresses_alone():
    english, chinese = boards()["en/building.json"], boards()["zh-Hans/building.json"]
    assert [p["id"] for p in english["panels"]] == [p["id"] for p in chinese["panels"]]
    assert {english["uid"], chinese["uid"]} == {"building-en", "building-zh-Hans"}
    assert [q for _, q in queries(english)][:-4] == [
        q.replace("title_zh", "title_en").replace("text_zh", "text_en") for _, q in queries(chinese)
    ][:-4]


def test_a_panel_keeps_its_number_wherever_it_stands():
    assert panel_id("building", "band") == panel_id("building", "band")
    assert len({panel_id(sheet.key, panel.key) for sheet in sheets_of(estate()) for panel in sheet.panels}) == sum(
        len(sheet.panels) for sheet in sheets_of(estate())
    )


def test_panels_that_wait_for_their_figures_are_not_made():
    there = {f"{sheet.key.partition('-')[0]}/{panel.key}" for sheet in sheets_of(estate()) for panel in sheet.panels}
    assert not there & WAITING.keys()
    assert all(key.partition("/")[0] in {*DASHBOARDS, *PER_BUILDING} for key in WAITING)


def test_an_estate_without_water_has_no_dashboard_of_it_and_says_so():
    dry = without(Utility.WATER)
    assert [(one.dashboard, one.utility) for one in left_out(dry)] == [("water", "water")]
    assert "en/water.json" not in made(dry)
    assert problems(made(dry), dry) == [], "and no link leads to it"


def test_an_id_that_a_query_cannot_hold_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"building 'b 9'9'.*a-z, 0-9"):
        made(with_building("b 9'9"))


def test_from_the_estate_to_a_meter_it_takes_two_clicks():
    def leads(board):
        urls = re.findall(r'"url": "/d/([\w-]+)-en\?', json.dumps(board))
        return set(urls) - {board["uid"].removesuffix("-en")}

    first = leads(boards()["en/estate.json"])
    assert "building" in first
    tags = boards()["en/building.json"]["links"][0]
    assert tags["type"] == "dashboards"
    assert "meter" in leads(boards()["en/building.json"]) | leads(boards()["en/quality.json"])


def test_every_kind_of_alert_has_words_on_the_page_of_alerts():
    assert set(KINDS) == set(DETECTORS)


# what the check finds


def spoiled(change, path="en/building.json"):
    """What is found once one thing is changed."""
    some = copy.deepcopy(boards())
    change(some[path])
    return "\n".join(problems(some, estate()))


def panel(board, shape=Shape.LINES):
    return next(one for one in board["panels"] if one["type"] == shape)


def asked(change):
    """Changes the first query of lines."""

    def spoil(board):
        target = panel(board)["targets"][0]
        target["query"] = change(target["query"])

    return spoil


def put(*keys, value):
    def spoil(board):
        node = panel(board)
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value

    return spoil


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (asked(lambda q: q.replace('"lo"', '"kwh"')), "'kwh' is no tag and no field of building_1h"),
        (asked(lambda q: q.replace("building_1h", "building_9h")), "'building_9h' is not one of"),
        (asked(lambda q: q.replace('"hourly"', '"daily"')), "building_1h is kept in hourly, not in daily"),
        (asked(lambda q: q.replace("$timeFilter", "true")), r"has no \$timeFilter"),
        (asked(lambda q: q.replace("time($__interval)", "time(1d)").partition(" tz(")[0]), "without the site's zone"),
        (asked(lambda _: 'SELECT "value" FROM "raw"."live" WHERE "site" = \'x\' AND $timeFilter'), "without a LIMIT"),
        (
            asked(
                lambda q: q.replace("time($__interval)", 'time($__interval), "meter"').replace(
                    '"building" =', '"utility" ='
                )
            ),
            "tells every meter apart without choosing one building",
        ),
        (put("fieldConfig", "defaults", "unit", value="kwats"), "the unit 'kwats' is none of ours"),
        (put("description", value="A chart."), "does not say what it shows"),
        (put("title", value="board.building.band"), "'board.building.band' has no text"),
        (put("title", value="Used " * 60), "wider than the panel on 1920 pixels"),
        (put("type", value="graph"), "is of the type graph"),
        (put("gridPos", "x", value=20), "ends beyond column 24"),
        (put("gridPos", "y", value=0), "lies over"),
        (lambda board: board["panels"][1].update(id=board["panels"][0]["id"]), "two panels have one id"),
        (lambda board: board.update(schemaVersion=41), "has schemaVersion 41"),
        (lambda board: board["links"][1].update(url="/d/nowhere?x=1"), "leads to nowhere"),
    ],
)
def test_the_check_finds(change, said):
    assert re.search(said, spoiled(change))


def test_the_check_finds_a_unit_that_is_not_that_of_the_figure():
    def spoil(board):
        for one in panel(board)["fieldConfig"]["overrides"]:
            for what in one["properties"]:
                if what["id"] == "unit":
                    what["value"] = "litreh"

    assert "'qty_kwh' is shown in 'litreh', and is in kW" in spoiled(spoil)


def test_the_check_finds_a_colour_and_a_text_that_are_not_ours():
    def paint(board):
        panel(board)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "#123456"

    assert "the colour '#123456' is none of ours" in spoiled(paint)

    def untranslated(board):
        board["panels"][0]["title"] = "Power now"

    assert "'Power now' is not translated" in spoiled(untranslated, "zh-Hans/building.json")


def test_points_above_the_level_are_not_drawn():
    text = json.dumps(boards()["en/meter.json"])
    hidden = {point.quantity for point in estate().points if point.level and point.level > SHIPPED}
    shown = {point.quantity for point in estate().points if point.level and point.level <= SHIPPED}
    assert [q.word for q in hidden - shown if f"'{q.word}'" in text] == []

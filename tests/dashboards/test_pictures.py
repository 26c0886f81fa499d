"""The pictures of docs/dashboards.md: of all twelve, small, labelled, of the panels that there are."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from rigs.boards import boards
from rigs.pictures import DRAWN, FOLDER
from rigs.pictures.answers import Answer, Field, about, ask
from rigs.pictures.board import LABEL, Place
from rigs.pictures.cells import table
from rigs.pictures.charts import lines
from rigs.pictures.figures import limit_colour, shown, written

from dashboards import DASHBOARDS, PER_BUILDING

DOCS = FOLDER.parents[1] / "dashboards.md"
MOST_BYTES = 60_000
SVG = "{http://www.w3.org/2000/svg}"
PLACE = Place(0, 0, 1400, 300)
HOUR_MS = 3_600_000


def texts(path, kind=""):
    """Texts of a picture, of one kind."""
    found = ET.parse(path).iter(f"{SVG}text")  # noqa: S314 - our own file
    return [one.text for one in found if not kind or kind in (one.get("class") or "").split()]


def test_docs_show_all_twelve_and_some_in_chinese():
    families = {path.partition("/")[2].removesuffix(".json").partition("-")[0] for path in DRAWN if path[:2] == "en"}
    assert families == {*DASHBOARDS, *PER_BUILDING}
    assert sum(path.startswith("zh-Hans") for path in DRAWN) > 1
    linked = re.findall(r"pictures/dashboards/([\w.-]+\.svg)", DOCS.read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(DRAWN.values()) == sorted(one.name for one in FOLDER.iterdir())


@pytest.mark.parametrize("path", DRAWN)
def test_a_picture_is_small_says_who_drew_it_and_is_of_the_panels_that_there_are(path):
    """Draw them again with ``PYTHONPATH=tests python -m rigs.pictures`` where this fails."""
    file = FOLDER / DRAWN[path]
    assert file.stat().st_size <= MOST_BYTES
    assert texts(file)[-1] == LABEL[path.partition("/")[0]]
    title, *panels = texts(file, "h")
    assert title == boards()[path]["title"]
    for panel, there in zip(panels, boards()[path]["panels"], strict=True):
        assert there["title"].startswith(panel.removesuffix("…"))


class Wire:
    """Answers every query alike."""

    def __init__(self, *answers):
        self.answers = answers

    def ask_json(self, _query):
        return list(self.answers)


def panel(path, kind):
    return next(one for one in boards()[f"en/{path}.json"]["panels"] if one["type"] == kind)


def series(values, name="qty_kwh", **said):
    found = Field(name, values, [k * HOUR_MS for k in range(len(values))])
    found.about = {"custom.spanNulls": 1.5 * HOUR_MS, **said}
    return found


def drawn_lines(*some):
    answer = Answer({"options": {}}, (0, 6 * HOUR_MS), list(some), [])
    return "\n".join(lines(answer, PLACE, "Europe/London"))


def test_a_gap_is_a_gap_and_none_is_not_zero():
    whole = re.findall(r'<path d="([^"]+)" stroke-width="1.3"', drawn_lines(series([1, 2, 3, 4])))
    assert whole[0].count("M") == 1
    torn = re.findall(r'<path d="([^"]+)" stroke-width="1.3"', drawn_lines(series([1, 2, None, 4, 5])))
    assert torn[0].count("M") == 2
    assert len(re.findall("l", torn[0])) == 2


def test_a_stack_is_as_high_as_all_together():
    bars = {"custom.drawStyle": "bars", "custom.stacking": {"mode": "normal"}}
    heights = re.findall(r"v(-?\d+)", drawn_lines(series([1.0], "a", **bars), series([3.0], "b", **bars)))
    assert int(heights[1]) == pytest.approx(3 * int(heights[0]), abs=2)


@pytest.mark.parametrize(
    ("value", "unit", "digits", "said"),
    [
        (1494.6, "kwatth", None, "1.49 MWh"),
        (362_100, "watt", None, "362 kW"),
        (0.051, "percentunit", 1, "5.1%"),
        (38_123.4, "currency:£", None, "£38.1K"),
        (-45.41, "currency:£", None, "-£45.4"),
        (6.72, "suffix:m³/d", 1, "6.7 m³/d"),
        (75, "s", 0, "1 mins"),
        (0.4, "s", None, "400 ms"),
        (-0.0001, "none", 0, "0"),
        (None, "kwatth", 0, ""),
    ],
)
def test_figures_are_written_as_grafana_writes_them(value, unit, digits, said):
    assert written(value, unit, digits) == said


def test_limits_letters_and_names_are_those_of_the_panel():
    league = panel("estate", "table")
    delta = Field("delta", [0.2], about=about(league, "delta"))
    assert shown(delta, 0.2) == ("20.0%", "#D73027")
    assert limit_colour(None, delta.said("thresholds")) == "#8C8C8C"
    home = Field("building", ["b33"], about=about(league, "building"))
    assert shown(home, "b33") == ("Building b33", "")
    rating = next(one for one in boards()["en/estate.json"]["panels"] if one["title"] == "Rating A to G")
    assert shown(Field("rating", [140.0], about=about(rating, "rating")), 140.0) == ("F", "#FDAE61")


def test_a_table_is_joined_ordered_and_sorted_as_its_panel_says():
    league = panel("estate", "table")
    rows = [SimpleNamespace(columns=["time", "delta", "excess_cost"], values=[[0, 0.1, money]], tags={"building": home})
            for home, money in (("b33", 5.0), ("b35", 50.0))]  # fmt: skip
    answer = ask(Wire(*rows), league, (0, HOUR_MS), {"utility": "electricity"})
    said = re.findall(r">([^<>]+)</text>", "\n".join(table(answer, PLACE, "Europe/London")))
    assert said.index("Building") < said.index("Excess")
    assert said.index("Building b35") < said.index("Building b33"), "most money above expected first"

"""What is wrong with dashboards, one sentence each: names, units, colours, texts, bounds, links, room for texts."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

from dashboards import colours, influxql
from dashboards.check_units import unit_problems
from dashboards.kit import MADE_FOR, SCHEMA
from dashboards.sheet import WIDTH, Shape
from dashboards.text_width import CELL, ICON, PADDING, SCREENS, panel_width, text_width
from dashboards.units import known_units
from facility.errors import Rejected
from wording.texts import DEFAULT_LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.catalogue import Catalogue

Board = dict[str, Any]

SPOKEN = frozenset({"title", "description", "label", "displayName", "noValue", "content"})
"""Where a dashboard says words that are not the registry's."""

DIFFERENT = SPOKEN | {
    "text",
    "uid",
    "url",
    "tags",
    "name",
    "query",
    "titleColumn",
    "textColumn",
    "definition",
    "value",
    "custom.fillBelowTo",
}
"""Where two languages may differ."""

_IS_ID = re.compile(r"(board|column|choice|event|kind|enduse|occupancy|speaks)\.[a-z0-9_.]+")
_LINK = re.compile(r"^/d/([\w-]+)")
_WORD = re.compile(r"[A-Za-z]{3,}")
_HEX = re.compile(r"#[0-9A-Fa-f]{3,8}")
_COLOUR_KEYS = frozenset({"fixedColor", "color", "iconColor"})


def problems(boards: Mapping[str, Board], catalogue: Catalogue) -> list[str]:
    """Everything that is wrong; ``boards`` by path of their file."""
    uids = {board["uid"] for board in boards.values()}
    found = []
    for path, board in boards.items():
        found += [f"{path}: {one}" for one in _of_board(board, catalogue, uids)]
    found += _of_languages(boards, catalogue)
    return found


def panels(board: Board) -> Iterator[Board]:
    """The panels of a dashboard."""
    yield from board["panels"]


def queries(board: Board) -> Iterator[tuple[str, str]]:
    """Title and text of every query: of panels, and of marks."""
    for panel in panels(board):
        yield from ((panel["title"], target["query"]) for target in panel.get("targets", ()))
    for mark in board.get("annotations", {}).get("list", ()):
        if "target" in mark:
            yield mark["name"], mark["target"]["query"]


def _of_board(board: Board, catalogue: Catalogue, uids: set[str]) -> Iterator[str]:
    if board["schemaVersion"] != SCHEMA:
        yield f"has schemaVersion {board['schemaVersion']}, not {SCHEMA}"
    yield from _grid(board)
    yield from _words(board)
    yield from _values(board, catalogue.site.currency, uids)
    for title, query in queries(board):
        try:
            yield from (f"{title}: {one}: {query}" for one in influxql.problems(query))
        except Rejected as error:
            yield f"{title}: {error.detail}"
    for panel in panels(board):
        yield from (f"{panel['title']}: {one}" for one in _of_panel(panel, catalogue.site.currency))


def _of_panel(panel: Board, currency: str) -> Iterator[str]:
    if panel["type"] not in set(Shape):
        yield f"is of the type {panel['type']}, which is none of {', '.join(Shape)}"
    if len(panel.get("description", "").split("\n\n")) != len(("shows", "normal", "act")):
        yield "does not say what it shows, what is normal and what to do"
    if panel.get("pluginVersion") != MADE_FOR:
        yield f"does not say that it is of Grafana {MADE_FOR}: it would be taken for one of before 7"
    if panel["type"] != Shape.WORDS:
        yield from unit_problems(panel, currency)
    yield from _room(panel)


def _grid(board: Board) -> Iterator[str]:
    ids = [panel["id"] for panel in panels(board)]
    if len(set(ids)) != len(ids):
        yield "two panels have one id"
    places = [(panel["title"], panel["gridPos"]) for panel in panels(board)]
    yield from (f"{title}: ends beyond column {WIDTH}" for title, at in places if at["x"] + at["w"] > WIDTH)
    for (one, a), (other, b) in combinations(places, 2):
        aside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        if not (aside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]):
            yield f"{one} lies over {other}"


def _values(board: Board, currency: str, uids: set[str]) -> Iterator[str]:
    """What stands anywhere in the tree and must be known: units, colours, links, data sources."""
    units = known_units(currency)
    for key, value in _leaves(board):
        if key == "unit" and value not in units:
            yield f"the unit '{value}' is none of ours"
        if key in _COLOUR_KEYS and value not in colours.KNOWN and not value.startswith("rgba("):
            yield f"the colour '{value}' is none of ours"
        if key == "placement" and value == "inControlsMenu":
            yield "a link is hidden in a menu"
        target = _LINK.match(value) if key == "url" else None
        if target and target[1] not in uids:
            yield f"a link leads to {target[1]}, which is no dashboard of ours"


def _words(board: Board) -> Iterator[str]:
    for key, value in _leaves(board):
        if key in SPOKEN | {"text"} and _IS_ID.fullmatch(value):
            yield f"'{value}' has no text"


def _room(panel: Board) -> Iterator[str]:
    """Texts that are wider than what they stand in, on an ordinary and on a wide screen."""
    for screen in SCREENS:
        width = panel_width(panel["gridPos"]["w"], screen)
        if text_width(panel["title"], 14) > width - PADDING - ICON:
            yield f"its title is wider than the panel on {screen} pixels"
        if panel["type"] == Shape.TABLE:
            yield from (f"the head '{one}' is wider than its column on {screen} pixels" for one in _tight(panel, width))


def _tight(panel: Board, width: float) -> Iterator[str]:
    """Heads of a table that do not fit: columns that state no width share what is left."""
    shown = [names for one in panel["fieldConfig"]["overrides"] if "displayName" in (names := _by_id(one))]
    stated = sum(names.get("custom.width", 0) for names in shown)
    free = sum("custom.width" not in names for names in shown)
    each = (width - PADDING - stated) / max(free, 1)
    for names in shown:
        if text_width(names["displayName"], 14) > names.get("custom.width", each) - CELL:
            yield names["displayName"]


def _by_id(override: Board) -> dict[str, Any]:
    return {one["id"]: one["value"] for one in override["properties"]}


def _of_languages(boards: Mapping[str, Board], catalogue: Catalogue) -> Iterator[str]:
    """Of one dashboard in two languages: the same but for what is said."""
    ours = {meter.enduse.replace("_", " ") for meter in catalogue.meters}
    ours |= {f"{name.en}" for name in (*(b.name for b in catalogue.buildings), catalogue.site.name)}
    for path, board in boards.items():
        language, _, file = path.partition("/")
        if language == DEFAULT_LANGUAGE:
            continue
        model = boards.get(f"{DEFAULT_LANGUAGE}/{file}")
        if model is None:
            yield f"{path} has no like in {DEFAULT_LANGUAGE}"
            continue
        yield from (f"{path}: {one}" for one in _compared(model, board, ours))


def _compared(model: Board, board: Board, ours: set[str]) -> Iterator[str]:
    there, here = dict(_paths(model)), dict(_paths(board))
    yield from (f"{'.'.join(where)} stands in one language alone" for where in there.keys() ^ here.keys())
    for where in there.keys() & here.keys():
        key = next(one for one in reversed(where) if not one.isdigit())
        same = there[where] == here[where]
        if not same and key not in DIFFERENT:
            yield f"{'.'.join(where)} differs between languages"
        if same and key in SPOKEN and _WORD.search(str(here[where])) and here[where] not in ours:
            yield f"'{here[where]}' is not translated"


def _leaves(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a tree with the key that it stands under; of an override that is the property's id."""
    if isinstance(node, dict):
        named = node.get("id") if set(node) == {"id", "value"} else None
        for name, value in node.items():
            yield from _leaves(value, str(named).rpartition(".")[2] if named and name == "value" else name)
    elif isinstance(node, list):
        for one in node:
            yield from _leaves(one, key)
    elif isinstance(node, str):
        yield key, node


def _paths(node: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = (
        [(str(k), one) for k, one in node.items()]
        if isinstance(node, dict)
        else [(str(k), one) for k, one in enumerate(node)]
        if isinstance(node, list)
        else None
    )
    if children is None:
        yield at, node
        return
    name = node.get("id") if isinstance(node, dict) and set(node) == {"id", "value"} else None
    for key, child in children:
        yield from _paths(child, (*at, str(name) if name and key == "value" else key))

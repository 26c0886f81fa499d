"""Turns a sheet into the JSON of a Grafana dashboard (classic, schemaVersion 42, Grafana 12) in one language.

The builders are grafana-foundation-sdk's; what it has no builder for (InfluxQL) or decides wrongly (links in a menu, no
panel ids) is settled here. Nothing else knows the SDK.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import dashboard as db
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as m

from dashboards import colours
from dashboards.asking import OF_READER
from dashboards.influxql import Extent, source
from dashboards.looks import look_of
from dashboards.overrides import CONSOLE, column_properties, limit_steps, state_mappings
from dashboards.sheet import WIDTH, Choice, Panel, Question, Shape, Sheet
from dashboards.units import grafana_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dashboards.words import Words
    from facility.levels import Level

SCHEMA = 42
MADE_FOR = "12.0.0"
"""What panels say they were saved by. Without a word of it Grafana takes them for ones of before 7, and makes of an XY
chart, by what it knew then, one that shows nothing; what 12.2 renamed it still brings up to date."""

TREND = "Trend.*"
"""How Grafana 12 calls the column that it makes of series, the query's letter behind the word."""


class _InfluxQL(variants.Dataquery, builder.Builder[variants.Dataquery]):
    """A query as Grafana's InfluxDB source takes it; the SDK has no builder of it."""

    def __init__(self, question: Question, ref: str, data_source: common.DataSourceRef, **extra: Any) -> None:
        self._said = {
            "refId": ref,
            "datasource": {"type": data_source.type_val, "uid": data_source.uid},
            "rawQuery": True,
            "query": question.query,
            "resultFormat": "table" if question.is_table else "time_series",
            "alias": "" if question.is_table else question.alias,
            **extra,
        }

    def build(self) -> variants.Dataquery:
        """Itself."""
        return self

    def to_json(self) -> dict[str, Any]:
        """What the SDK's encoder writes."""
        return self._said


def source_uid(level: Level) -> str:
    """The address of the data source: its database holds points of that level alone."""
    return f"influx-energy-{level.word}"


def panel_id(sheet: str, key: str) -> int:
    """A panel's number, from its key alone: the same in both languages and wherever it is moved to."""
    return int.from_bytes(hashlib.sha256(f"{sheet}/{key}".encode()).digest()[:4], "big") & 0x7FFFFFFF or 1


def dashboard_json(sheet: Sheet, words: Words, level: Level, console: str) -> dict[str, Any]:
    """The whole dashboard. ``console`` is the address of the console, as a browser reaches it."""
    ref = common.DataSourceRef(type_val="influxdb", uid=source_uid(level))
    made = (
        db.Dashboard(_title(sheet, words))
        .uid(words.uid(sheet.key))
        .description(words.texts(f"board.{_family(sheet)}.purpose"))
        .tags([words.tag] if not sheet.is_hidden else [f"{words.tag}-detail"])
        .timezone(words.catalogue.site.timezone)
        .week_start("monday")
        .time(sheet.start, sheet.end)
        .timepicker(db.TimePicker().now_delay("1m").hidden(sheet.is_plain))
        .tooltip(m.DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    if sheet.refresh:
        made.refresh(sheet.refresh)
    for choice in sheet.choices:
        made.with_variable(_choice(choice, words, ref))
    made.with_variable(db.ConstantVariable(CONSOLE).value(console.rstrip("/")))
    if not sheet.is_plain:
        for link in _links(sheet, words):
            made.link(link)
    if sheet.events:
        for kind in colours.EVENT:
            made.annotation(_events(kind, sheet.events, words, ref))
    y = 0
    for row in sheet.rows:
        for x, panel in zip(_places(row), row, strict=True):
            made.with_panel(_panel(panel, sheet, words, ref).grid_pos(m.GridPos(panel.size[1], panel.size[0], x, y)))
        y += max(panel.size[1] for panel in row)
    board: dict[str, Any] = _mended(json.loads(JSONEncoder().encode(made.build())))
    return board


def _family(sheet: Sheet) -> str:
    """The key of its texts: those of one kind (a lobby's of each building) share them."""
    return sheet.key.partition("-")[0]


def _title(sheet: Sheet, words: Words) -> str:
    said = words.texts(f"board.{_family(sheet)}.title")
    return f"{sheet.title[words.language]} · {said}" if sheet.title else said


def _places(row: tuple[Panel, ...]) -> Iterator[int]:
    x = 0
    for panel in row:
        yield x
        x += panel.size[0]
    assert x <= WIDTH, f"{', '.join(panel.key for panel in row)}: {x} columns of {WIDTH}"


def _panel(panel: Panel, sheet: Sheet, words: Words, ref: common.DataSourceRef) -> db.Panel:
    """One panel with its texts, queries, options and columns."""
    text_id = f"board.{_family(sheet)}.{panel.key}"
    currency = words.catalogue.site.currency
    options, custom = look_of(panel)
    made = (
        db.Panel()
        .id(panel_id(sheet.key, panel.key))
        .type(panel.shape.value)
        .plugin_version(MADE_FOR)
        .title(words.texts(text_id))
        .description(_description(text_id, words))
        .datasource(ref)
    )
    if panel.shape is Shape.WORDS:
        return made.options({"mode": "markdown", "content": words.texts(f"{text_id}.content", **panel.fill)})
    questions = [replace(one, query=one.query.replace(OF_READER, words.short)) for one in panel.questions]
    made.targets([_InfluxQL(one, chr(ord("A") + k), ref) for k, one in enumerate(questions)])
    if panel.sort:
        options["sortBy"] = [{"displayName": words.texts(panel.sort[0]), "desc": panel.sort[1]}]
    made.options(options).custom(custom).interval(panel.step).max_data_points(panel.most)
    made.no_value(words.texts("board.nothing")).thresholds(limit_steps(panel.limits, panel.unit))
    if panel.within:
        made.time_from(panel.within).hide_time_override(True)
    if panel.shifted:
        made.time_shift(panel.shifted)
    if panel.unit:
        made.unit(grafana_unit(panel.unit, currency))
    if panel.digits is not None:
        made.decimals(panel.digits)
    if panel.states:
        made.mappings(state_mappings(panel.states, words))
    for column in panel.columns:
        properties = column_properties(column, panel, words)
        made.override_by_regexp(TREND, properties) if column.spark else made.override_by_name(column.name, properties)
    if panel.shape is Shape.TABLE:
        made.override_by_regexp("^Time.*", list(_times(panel, words)))
    made.transformations([m.DataTransformerConfig(kind, options=dict(how)) for kind, how in _transformations(panel)])
    return made


def _transformations(panel: Panel) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those of the panel; columns of a table stand as they were named, for InfluxDB orders them by their names."""
    yield from panel.transformations
    if panel.shape is Shape.TABLE:
        names = ("Time", *(column.name for column in panel.columns))
        yield "organize", {"indexByName": {name: k for k, name in enumerate(names)}}


def _times(panel: Panel, words: Words) -> Iterator[m.DynamicConfigValue]:
    """InfluxDB puts a time into every row; most say nothing."""
    if panel.shows_time:
        yield m.DynamicConfigValue("displayName", value=words.texts("column.time"))
        yield m.DynamicConfigValue("custom.width", value=170)
    else:
        yield m.DynamicConfigValue("custom.hidden", value=True)


def _description(text_id: str, words: Words) -> str:
    """What it shows, what is normal, what to do: for every panel the three."""
    parts = ("shows", "normal", "act")
    return "\n\n".join(f"**{words.texts(f'board.{part}')}** {words.texts(f'{text_id}.{part}')}" for part in parts)


def _choice(choice: Choice, words: Words, ref: common.DataSourceRef) -> db.CustomVariable | db.QueryVariable:
    label = words.texts(f"choice.{choice.name}")
    hide = m.VariableHide.HIDE_VARIABLE if choice.hidden else m.VariableHide.DONT_HIDE
    if choice.query:
        return (
            db.QueryVariable(choice.name)
            .label(label)
            .hide(hide)
            .datasource(ref)
            .query(choice.query)
            .refresh(m.VariableRefresh.ON_DASHBOARD_LOAD)
            .sort(m.VariableSort.ALPHABETICAL_ASC)
            .multi(False)
            .include_all(False)
        )
    options = [m.VariableOption(text=words.name(choice.family, one), value=one) for one in choice.values]
    for k, option in enumerate(options):
        option.selected = k == 0
    said = ", ".join(f"{_escaped(str(one.text))} : {one.value}" for one in options)
    made = db.CustomVariable(choice.name).label(label).hide(hide).values(said).options(options)
    return made.current(options[0]).multi(False).include_all(False).allow_custom_value(False)


def _escaped(name: str) -> str:
    return name.replace(",", "\\,")


def _links(sheet: Sheet, words: Words) -> Iterator[db.DashboardLink]:
    """To its siblings, to the console, and to three ordinary months."""
    about = "?var-building=${building}" if any(one.name == "building" for one in sheet.choices) else ""
    yield (
        db.DashboardLink(words.texts("board.link.energy"))
        .type(m.DashboardLinkType.DASHBOARDS)
        .tags([words.tag])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(False)
        .icon("external link")
    )
    page = f"${{{CONSOLE}:raw}}/buildings/${{building}}" if about else f"${{{CONSOLE}:raw}}/alerts"
    yield _link(words.texts("board.link.console"), page)
    here = f"/d/{words.uid(sheet.key)}{about}{'&' if about else '?'}"
    for word, start, end in (
        ("this_month", "now%2FM", "now"),
        ("last_month", "now-1M%2FM", "now-1M%2FM"),
        ("year_before", "now-1y%2FM", "now-1y%2FM"),
    ):
        yield _link(words.texts(f"board.link.{word}"), f"{here}from={start}&to={end}")


def _link(title: str, url: str) -> db.DashboardLink:
    return db.DashboardLink(title).type(m.DashboardLinkType.LINK).url(url).icon("external link")


def _events(kind: str, building: str, words: Words, ref: common.DataSourceRef) -> db.AnnotationQuery:
    """Alerts, holidays and changes as marks, from their beginning to their end.

    Grafana asks for the columns as series, and knows them again by rollup and field; a row that lacks one it drops.
    """
    language = words.short
    place = "" if building == "*" else f"(\"building\" = '{building}' OR \"building\" = '')"
    where = Extent(words.catalogue.site.id).where(*([place] if place else []), f"\"kind\" = '{kind}'")
    names = f'"title_{language}", "text_{language}", "kind", "end_ms"'
    query = f"SELECT {names} FROM {source('events')} WHERE {where} LIMIT 500"
    target = _InfluxQL(
        Question(query, is_table=True),
        "Anno",
        ref,
        fromAnnotations=True,
        queryType="tags",
        titleColumn=f"events.title_{language}",
        textColumn=f"text_{language}",
        tagsColumn="kind",
        timeEndColumn="events.end_ms",
    )
    made = db.AnnotationQuery().name(words.texts(f"event.kind.{kind}")).datasource(ref).enable(True)
    return made.icon_color(colours.EVENT[kind]).target(target)


def _mended(node: Any) -> Any:
    """Without what the SDK decides wrongly: links in a menu of their own, a constant that readers see."""
    if isinstance(node, list):
        return [_mended(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _mended(value) for key, value in node.items() if (key, value) != ("placement", "inControlsMenu")}
    return {**kept, "hide": 2} if kept.get("type") == "constant" else kept


def written(dashboard: dict[str, Any]) -> str:
    """A dashboard as a file: the same text from the same registry, on every machine."""
    return json.dumps(dashboard, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

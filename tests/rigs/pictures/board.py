"""A whole dashboard as one picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dashboards.text_width import EDGES, MENU, panel_width
from rigs.board_times import period_of
from rigs.pictures import cells, charts, svg
from rigs.pictures.answers import ask

DRAWERS = {
    "stat": cells.stat, "table": cells.table, "heatmap": cells.carpet, "status-history": cells.days,
    "state-timeline": cells.states, "text": cells.words, "timeseries": charts.lines, "xychart": charts.cloud,
    "trend": charts.curve,
}  # fmt: skip

LABEL = {
    "en": "Drawn by Meterhouse's tests from what an InfluxDB answered to these panels' queries; not by Grafana.",
    "zh-Hans": "由 Meterhouse 的测试按 InfluxDB 对各面板查询的结果绘制，不是 Grafana 截图。",
}
HEAD, ROW, GAP, FOOT, TITLE = 64, 38, 8, 30, 30


@dataclass(frozen=True)
class Place:
    """Room on a picture, pixels."""

    x: float
    y: float
    width: float
    height: float

    def shorter(self, by):
        """Without so much at its bottom."""
        return replace(self, height=self.height - by)


def picture(wire, board, language, choice, now, screen=1440) -> str:
    """The SVG of a dashboard as a screen of that width shows it; ``now`` is in the site's zone."""
    width = screen - MENU
    height = HEAD + max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in board["panels"]) * ROW + FOOT
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>{svg.escape(board['title'])}: {svg.escape(LABEL[language])}</title>",
        f'<style>{svg.STYLE}</style><rect width="{width}" height="{height}" style="fill:var(--b)"/>',
        *_head(board, choice),
    ]
    for panel in board["panels"]:
        drawn += _panel(wire, board, panel, choice, now, screen)
    drawn.append(svg.text(EDGES / 2, height - 11, LABEL[language], "m"))
    return "\n".join(one for one in [*drawn, "</svg>"] if one) + "\n"


def _head(board, choice):
    drawn, x = [svg.text(EDGES / 2, 26, board["title"], "h", 18)], EDGES / 2
    for one in board["templating"]["list"]:
        if one["type"] == "custom" or one["name"] in choice:
            name = next((o["text"] for o in one.get("options", ()) if o["value"] == choice[one["name"]]), None)
            said = f"{one.get('label') or one['name']}: {name or choice[one['name']]}"
            drawn.append(svg.text(x, 50, said, "m"))
            x += svg.text_width(said, 12) + 24
    drawn.append(svg.text(x, 50, f"{board['time']['from']} – {board['time']['to']}", "m"))
    return drawn


def _panel(wire, board, panel, choice, now, screen):
    at = panel["gridPos"]
    column = panel_width(1, screen) + GAP
    place = Place(EDGES / 2 + at["x"] * column, HEAD + at["y"] * ROW, at["w"] * column - GAP, at["h"] * ROW - GAP)
    answer = ask(wire, panel, period_of(board, panel, now), choice)
    inner = Place(place.x, place.y + TITLE, place.width, place.height - TITLE - 6)
    drawer = DRAWERS[panel["type"]]
    is_empty = panel["type"] != "text" and not any(
        value is not None for one in (*answer.series, *answer.columns) for value in one.values
    )
    drawn = cells.nothing(answer, inner) if is_empty else drawer(answer, inner, board["timezone"])
    title = svg.text(place.x + 12, place.y + 20, svg.fitting(panel["title"], place.width - 40, 14), "h")
    return [svg.box(place.x, place.y, place.width, place.height, kind="p"), title, *drawn]

"""Panels of cells: tables, figures in large type, heat maps, days and states, and plain words."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from rigs.pictures import svg
from rigs.pictures.charts import DAY_MS, Plot, time_axis
from rigs.pictures.figures import GREY, limit_colour, mapped, shown, written

ROW = 34
VIRIDIS = ("#440154", "#472c7a", "#3b518b", "#2c718e", "#21908d", "#27ad81", "#5cc863", "#aadc32", "#fde725")
PU_OR = ("#2d004b", "#542788", "#8073ac", "#b2abd2", "#f7f7f7", "#fdb863", "#e08214", "#b35806", "#7f3b08")
SCHEMES = {"Viridis": VIRIDIS, "PuOr": PU_OR}
SHADES = 24


def stat(answer, place, zone) -> list[str]:
    """The last figure of each series, in large type."""
    del zone
    found = []
    for one in answer.series:
        known = [value for value in one.values if value is not None]
        if known:
            found.append((one, known[-1]))
    if not found:
        return nothing(answer, place)
    colours = answer.panel["options"].get("colorMode") == "value"
    drawn, height = [], place.height / len(found)
    for k, (one, value) in enumerate(found):
        known = mapped(value, one.said("mappings"))
        said = known[0] if known else written(value, one.said("unit", ""), one.said("decimals"))
        colour = limit_colour(value, one.said("thresholds")) if colours else ""
        size = min(height * 0.55, 44, place.width / max(svg.text_width(said, 1.0), 1) * 0.8)
        y = place.y + height * (k + 0.5) + size / 3
        if len(found) > 1:
            drawn.append(svg.text(place.x + 12, y, one.label, "m"))
            drawn.append(svg.text(place.x + place.width - 12, y, said, "r", round(min(size, 26)), colour))
        else:
            drawn.append(svg.text(place.x + place.width / 2, y, said, "c", round(size), colour))
    return drawn


def nothing(answer, place) -> list[str]:
    """What a panel says where no figure is."""
    said = answer.panel["fieldConfig"]["defaults"].get("noValue", "No data")
    return [svg.text(place.x + place.width / 2, place.y + place.height / 2, said, "m c")]


def table(answer, place, zone) -> list[str]:
    """Rows as they are sorted, as many as there is room for."""
    columns = sorted((one for one in answer.columns if not one.said("custom.hidden")), key=_place_in(answer.panel))
    rows = max((len(one.values) for one in columns), default=0)
    if not rows:
        return nothing(answer, place)
    order = _order(answer.panel, columns, rows)[: int(place.height / ROW) - 1]
    widths = _widths(columns, place.width - 16)
    drawn, x = [], place.x + 8
    for one, width in zip(columns, widths, strict=True):
        drawn.append(svg.text(x + 4, place.y + 20, svg.fitting(one.label, width - 8), "m"))
        for k, row in enumerate(order):
            drawn += _cell(one, one.values[row], x, place.y + ROW * (k + 1), width, zone)
        x += width
    lines = [
        [(place.x + 8, place.y + ROW * k), (place.x + place.width - 8, place.y + ROW * k)]
        for k in range(1, len(order) + 1)
    ]
    return [svg.path(lines, "", 1, kind="g"), *drawn]


def _place_in(panel):
    """How columns stand, as the panel says."""
    asked = [one["options"] for one in panel.get("transformations", ()) if one["id"] == "organize"]
    places = next((one["indexByName"] for one in asked if "indexByName" in one), {})
    return lambda one: places.get(one.name, len(places))


def _order(panel, columns, rows):
    order = list(range(rows))
    for by in panel["options"].get("sortBy", ()):
        values = next((one.values for one in columns if one.label == by["displayName"]), None)
        if values:
            known = [row for row in order if values[row] is not None]
            order = sorted(known, key=lambda row: values[row], reverse=by.get("desc", False))
            order += [row for row in range(rows) if values[row] is None]
    return order


def _widths(columns, width):
    stated = [one.said("custom.width", 0) for one in columns]
    free = sum(1 for one in stated if not one) or 1
    each = (width - sum(stated)) / free
    return [one or each for one in stated]


def _cell(one, value, x, y, width, zone) -> list[str]:
    kind = one.said("custom.cellOptions", {}).get("type")
    if kind == "sparkline":
        return _spark(value, x + 4, y + 4, width - 8)
    said, colour = shown(one, value)
    if one.name == "Time":
        said, value = f"{datetime.fromtimestamp(value / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}", ""
    if kind == "gauge" and value is not None:
        most = max((v for v in one.values if v is not None), default=0) or 1
        part = max(min(value / most, 1), 0)
        bar = svg.box(x + 4, y + 7, (width - 84) * part, ROW - 14, colour or "#56A64B", opacity=0.5)
        return [bar, svg.text(x + width - 8, y + 22, said, "r", 0, colour)]
    if isinstance(value, (int, float)) and not one.said("mappings"):
        return [svg.text(x + width - 8, y + 22, said, "r", 0, colour)]
    return [svg.text(x + 4, y + 22, svg.fitting(said, width - 8), "", 0, colour)]


def _spark(series, x, y, width) -> list[str]:
    known = [(t, v) for t, v in zip(series.t_ms, series.values, strict=True) if v is not None]
    if not known:
        return []
    values, times = [v for _, v in known], [t for t, _ in known]
    plot = Plot(x, y, width, ROW - 10, (times[0], times[-1]), (min(values), max(values)))
    return [svg.path([[plot.at(t, v) for t, v in known]], "#3274D9", 1.5)]


def carpet(answer, place, zone) -> list[str]:
    """A column a day, a row an hour; a stamp is the end of its cell."""
    rows = sorted(answer.series, key=lambda one: float(one.name))
    values = [v for one in rows for v in one.values if v is not None]
    if not values:
        return nothing(answer, place)
    options = answer.panel["options"]["color"]
    low, high = options.get("min", min(values)), options.get("max", max(values))
    scheme = list(SCHEMES[options["scheme"]])
    scheme = scheme[::-1] if options.get("reverse") and options["scheme"] == "PuOr" else scheme
    scheme = scheme[::-1] if options["scheme"] == "PuOr" else scheme  # Grafana's begins orange, and is turned round
    plot = Plot(place.x + 36, place.y, place.width - 44, place.height - 44, answer.period, (0, len(rows)))
    width, height = plot.width * DAY_MS / (answer.period[1] - answer.period[0]), plot.height / len(rows)
    shades: dict[int, list[tuple[float, float, float]]] = {}
    days = sorted({t for one in rows for t in one.t_ms})
    for day in days:
        x = plot.at(day - DAY_MS / 2, 0)[0]
        for k, one in enumerate(rows):
            value = dict(zip(one.t_ms, one.values, strict=True)).get(day) if day in one.t_ms else None
            if value is not None:
                shade = round(min(max((value - low) / ((high - low) or 1), 0), 1) * (SHADES - 1))
                run = shades.setdefault(shade, [])
                y = plot.y + plot.height - k * height
                if run and run[-1][0] == x and abs(run[-1][1] + run[-1][2] - y) < 0.01:
                    run[-1] = (x, run[-1][1], run[-1][2] - height)
                else:
                    run.append((x, y, -height))
    drawn = [
        plot.clipped(
            svg.marks(_whole(spans), _shade(scheme, shade / (SHADES - 1)), width + 0.6)
            for shade, spans in sorted(shades.items())
        )
    ]
    drawn += [
        svg.text(plot.x - 6, plot.y + plot.height - (k + 0.2) * height, one.name, "m r", 11)
        for k, one in enumerate(rows)
        if k % 4 == 0
    ]
    unit = answer.panel["options"].get("cellValues", {}).get("unit", "")
    digits = answer.panel["options"].get("cellValues", {}).get("decimals")
    return drawn + time_axis(plot, zone) + _scale(scheme, low, high, unit, digits, place)


def _whole(spans):
    """Ends on whole pixels, so that neighbours touch."""
    return [(x, round(y), round(y + length) - round(y)) for x, y, length in spans]


def _scale(scheme, low, high, unit, digits, place):
    y, each = place.y + place.height - 14, 160 / SHADES
    drawn = [svg.box(place.x + 110 + k * each, y, each + 1, 8, _shade(scheme, k / (SHADES - 1))) for k in range(SHADES)]
    drawn.append(svg.text(place.x + 102, y + 9, written(low, unit, digits), "m r", 11))
    return [*drawn, svg.text(place.x + 278, y + 9, written(high, unit, digits), "m", 11)]


def _shade(scheme, share):
    at = share * (len(scheme) - 1)
    k = min(int(at), len(scheme) - 2)
    a, b = ([int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in scheme[k : k + 2])
    return "#" + "".join(f"{round(p + (q - p) * (at - k)):02x}" for p, q in zip(a, b, strict=True))


def days(answer, place, zone) -> list[str]:
    """A row a series, a cell a day, in the colour of its limits."""
    return _rows(answer, place, zone, DAY_MS * 0.92)


def states(answer, place, zone) -> list[str]:
    """A row a series, coloured while a state lasts."""
    return _rows(answer, place, zone, None)


def _rows(answer, place, zone, cell_ms) -> list[str]:
    some = [one for one in answer.series if any(value is not None for value in one.values)]
    if not some:
        return nothing(answer, place)
    names = max(svg.text_width(_row_name(one), 12) for one in some) + 16
    plot = Plot(place.x + names, place.y, place.width - names - 8, place.height - 24, answer.period, (0, 1))
    height, drawn = plot.height / len(some), time_axis(plot, zone)
    for k, one in enumerate(some):
        y = plot.y + height * (k + 0.5)
        drawn.append(svg.text(plot.x - 8, y + 4, _row_name(one), "r"))
        spans: dict[str, list[tuple[float, float, float]]] = {}
        for t_ms, value in zip(one.t_ms, one.values, strict=True):
            if value is None:
                continue
            known = mapped(value, one.said("mappings"))
            colour = (known[1] if known else limit_colour(value, one.said("thresholds"))) or GREY
            length = cell_ms or _until_next(one, t_ms)
            x0, x1 = max(plot.at(t_ms, 0)[0], plot.x), min(plot.at(t_ms + length, 0)[0], plot.x + plot.width)
            if x1 > x0:
                spans.setdefault(colour, []).append((x0, y, x1 - x0))
        drawn += [
            svg.marks(found, colour, round(height * 0.8), upright=False, opacity=0.9) for colour, found in spans.items()
        ]
    return drawn


def _row_name(one):
    known = mapped(one.name, one.said("mappings"))
    return known[0] if known else one.label


def _until_next(one, t_ms):
    return min((later - t_ms for later in one.t_ms if later > t_ms), default=60_000)


def words(answer, place, zone) -> list[str]:
    """Text of a panel, its lines broken where they must."""
    del zone
    drawn, y = [], place.y + 18
    for paragraph in answer.panel["options"]["content"].split("\n"):
        plain = re.sub(r"\*\*|^#+ ", "", paragraph)
        for line in svg.lines_of(plain, place.width - 24, 13):
            drawn.append(svg.text(place.x + 12, y, line, "", 13))
            y += 19
    return drawn

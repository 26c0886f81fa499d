"""Panels with axes: lines and bars over time, a cloud of points, a curve, and what they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

from rigs.pictures import svg
from rigs.pictures.figures import written

ROUND_HOURS = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720, 1440, 2160, 4320)
PALETTE = ("#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0")
DAY_MS = 86_400_000


@dataclass
class Plot:
    """Where figures of two ranges stand in a panel, and how its axes are written."""

    x: float
    y: float
    width: float
    height: float
    across: tuple[float, float]
    up: tuple[float, float]

    def at(self, across, up):
        """The pixel of a point."""
        (x0, x1), (y0, y1) = self.across, self.up
        return (
            self.x + (across - x0) / ((x1 - x0) or 1) * self.width,
            self.y + self.height - (up - y0) / ((y1 - y0) or 1) * self.height,
        )

    def clipped(self, marks):
        """Marks, of which nothing is drawn outside of the plot."""
        at = [round(one) for one in (self.x, self.y, self.width, self.height)]
        size = f'x="{at[0]}" y="{at[1]}" width="{at[2]}" height="{at[3]}"'
        return "\n".join([f'<svg {size} viewBox="{" ".join(map(str, at))}">', *marks, "</svg>"])


def steps(low, high, most):
    """Round figures between two, at most about so many."""
    rough = (high - low or abs(high) or 1) / most
    power = 10 ** floor(log10(rough))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * 0.999)
    return [round(k * step, 10) for k in range(floor(low / step), ceil(high / step) + 1)]


def plot_of(place, values, across, about):
    """A plot with its axis of figures drawn, from zero on; ``values`` are all that must fit in."""
    unit, digits = about.get("unit", ""), about.get("decimals")
    low, high = min([*values, 0.0]), max([*values, 0.0])
    ticks = steps(low, high, max(place.height / 40, 2)) if high > low else [low, low + 1]
    if digits == 0 and unit != "percentunit":
        ticks = sorted({float(round(tick)) for tick in ticks})
    said = [written(tick, unit, 0 if unit == "percentunit" else digits) for tick in ticks]
    room = max(svg.text_width(one, 11) for one in said) + 14
    ends = ticks[0], ticks[-1]
    plot = Plot(place.x + room, place.y + 4, place.width - room - 8, place.height - 26, across, ends)
    drawn = []
    for tick, words in zip(ticks, said, strict=True):
        _, y = plot.at(across[0], tick)
        drawn.append(svg.text(plot.x - 6, y + 4, words, "m r", 11))
    lines = [[plot.at(across[0], tick), plot.at(across[1], tick)] for tick in ticks]
    return plot, [svg.path(lines, "", 1, kind="g"), *drawn]


def time_axis(plot, zone) -> list[str]:
    """Round times below a plot, on the site's clock."""
    start, end = plot.across
    clock = ZoneInfo(zone)
    span = end - start
    every = next(
        (one for one in ROUND_HOURS if span / one / 3_600_000 <= plot.width / 70), 8760
    ) * 3_600_000  # fmt: skip
    first = datetime.fromtimestamp(start / 1000, clock)
    offset = round(first.utcoffset().total_seconds() * 1000)
    at, drawn = ceil((start + offset) / every) * every, []
    while at - offset <= end:
        x, _ = plot.at(at - offset, plot.up[0])
        local = datetime.fromtimestamp(at / 1000, UTC)
        words = f"{local:%H:%M}" if every < DAY_MS else f"{local:%m/%d}" if span < 200 * DAY_MS else f"{local:%Y-%m}"
        drawn.append(svg.text(x, plot.y + plot.height + 16, words, "m c", 11))
        at += every
    return drawn


def _is_bars(one):
    return one.said("custom.drawStyle") == "bars"


def _is_stacked(one):
    return one.said("custom.stacking", {}).get("mode") == "normal"


def lines(answer, place, zone) -> list[str]:
    """Lines, bars, stacks and bands over time."""
    some = [one for one in answer.series if any(value is not None for value in one.values)]
    for k, one in enumerate(some):
        fixed = one.said("color", {}).get("fixedColor")
        one.about["drawn"] = fixed or PALETTE[k % len(PALETTE)]
    stacks = _stacked([one for one in some if _is_stacked(one)])
    values = [v for one in some if not _is_stacked(one) for v in one.values if v is not None]
    values += [top for spans in stacks.values() for _, _, top in spans]
    place, legend = _with_legend(place, some)
    plot, drawn = plot_of(place, values, answer.period, some[0].about if some else {})
    drawn += time_axis(plot, zone) + legend
    return [*drawn, plot.clipped(mark for one in some for mark in _series(one, some, plot, stacks))]


def _stacked(some):
    """Of each series its bars, one on the other: (time, bottom, top)."""
    tops, found = {}, {}
    for one in some:
        spans = found.setdefault(id(one), [])
        for t_ms, value in zip(one.t_ms, one.values, strict=True):
            if value:
                spans.append((t_ms, tops.get(t_ms, 0.0), tops.get(t_ms, 0.0) + value))
                tops[t_ms] = tops.get(t_ms, 0.0) + value
    return found


def _series(one, some, plot, stacks):
    colour = one.about["drawn"]
    if _is_bars(one):
        step = min((b - a for a, b in zip(one.t_ms, one.t_ms[1:], strict=False)), default=DAY_MS)
        width = max(step / (plot.across[1] - plot.across[0]) * plot.width * 0.8, 1)
        spans = stacks.get(id(one)) or [(t, 0.0, v) for t, v in zip(one.t_ms, one.values, strict=True) if v]
        bars = []
        for t_ms, bottom, top in spans:
            (x, y0), (_, y1) = plot.at(t_ms, bottom), plot.at(t_ms, top)
            bars.append((x, y0, y1 - y0))
        return [svg.marks(bars, colour, width, opacity=one.said("custom.fillOpacity", 80) / 100)]
    drawn = []
    if below := one.said("custom.fillBelowTo"):
        lower = next((other for other in some if other.label == below and len(other.values) == len(one.values)), None)
        drawn = [_band(one, lower, plot)] if lower else []
    if width := one.said("custom.lineWidth", 1):
        dash = "6 4" if one.said("custom.lineStyle", {}).get("fill") == "dash" else ""
        drawn.append(svg.path(_runs(one, plot), colour, max(width, 1.3), dash))
    return drawn


def _runs(one, plot):
    """Stretches without a gap: a null between two figures is passed over where they are near enough."""
    runs, run, before, is_gap = [], [], 0, False
    for t_ms, value in zip(one.t_ms, one.values, strict=True):
        if value is None:
            is_gap = True
            continue
        if is_gap and t_ms - before > (one.said("custom.spanNulls") or 0):
            runs, run = [*runs, run], []
        run.append(plot.at(t_ms, value))
        before, is_gap = t_ms, False
    return [one for one in (*runs, run) if one]


def _band(upper, lower, plot):
    known = [
        (t, high, low)
        for t, high, low in zip(upper.t_ms, upper.values, lower.values, strict=True)
        if high is not None and low is not None
    ]
    top, bottom = [plot.at(t, high) for t, high, _ in known], [plot.at(t, low) for t, _, low in reversed(known)]
    return svg.area([*top, *bottom], upper.about["drawn"], upper.said("custom.fillOpacity", 25) / 100)


def _with_legend(place, some):
    """Names of series below a plot, in as many rows as they need."""
    x, y, rows = place.x + 8, 0.0, []
    for one in some:
        width = svg.text_width(one.label, 12) + 28
        if x + width > place.x + place.width and x > place.x + 8:
            x, y = place.x + 8, y + 18
        rows.append((x, y, one))
        x += width
    bottom = place.y + place.height - y - 4
    drawn = []
    for at, down, one in rows:
        drawn.append(svg.box(at, bottom + down - 4, 14, 4, one.about["drawn"]))
        drawn.append(svg.text(at + 18, bottom + down + 2, one.label))
    return place.shorter(y + 20), drawn


def cloud(answer, place, zone) -> list[str]:
    """Points of tables, each after its first column."""
    del zone
    columns = [one for one in answer.columns if one.name != "Time"]
    pairs = [(columns[k], columns[k + 1]) for k in range(0, len(columns) - 1, 2)]
    known = [[(x, y) for x, y in zip(a.values, b.values, strict=True) if None not in {x, y}] for a, b in pairs]
    every = [point for points in known for point in points]
    for k, (_, one) in enumerate(pairs):
        one.about["drawn"] = one.said("color", {}).get("fixedColor") or PALETTE[k]
    place, legend = _with_legend(place, [b for _, b in pairs])
    across = (min((x for x, _ in every), default=0), max((x for x, _ in every), default=1))
    plot, drawn = plot_of(place, [y for _, y in every], across, pairs[0][1].about if pairs else {})
    for tick in steps(*across, plot.width / 90):
        if across[0] <= tick <= across[1]:
            words = written(tick, pairs[0][0].said("unit", "") if pairs else "", 0)
            drawn.append(svg.text(plot.at(tick, 0)[0], plot.y + plot.height + 16, words, "m c", 11))
    for (_, one), points in zip(pairs, known, strict=True):
        at = [plot.at(x, y) for x, y in points]
        drawn.append(svg.marks([(x - 2, y, 4) for x, y in at], one.about["drawn"], 4, upright=False, opacity=0.6))
    return drawn + legend


def curve(answer, place, zone) -> list[str]:
    """Figures in falling order over the share of them that is as high."""
    del zone
    some = [one for one in answer.series if any(value is not None for value in one.values)]
    for k, one in enumerate(some):
        one.about["drawn"] = one.said("color", {}).get("fixedColor") or PALETTE[k]
    place, legend = _with_legend(place, some)
    values = [v for one in some for v in one.values if v is not None]
    plot, drawn = plot_of(place, values, (0.0, 1.0), some[0].about if some else {})
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1.0):
        drawn.append(
            svg.text(plot.at(tick, 0)[0], plot.y + plot.height + 16, written(tick, "percentunit", 0), "m c", 11)
        )
    for one in some:
        falling = sorted((v for v in one.values if v is not None), reverse=True)
        every = max(len(falling) // 300, 1)
        points = [plot.at(k / max(len(falling) - 1, 1), falling[k]) for k in range(0, len(falling), every)]
        drawn.append(svg.path([points], one.about["drawn"], 2))
    return drawn + legend

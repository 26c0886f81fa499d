"""Figures as Grafana writes them: its units, scaled as it scales them, its number of digits, limits and mappings."""

from __future__ import annotations

import re
from math import floor, log10

GREY = "#8C8C8C"
SCALED = {
    "watt": ("W", 0),
    "kwatt": ("W", 1),
    "kwatth": ("Wh", 1),
    "volt": ("V", 0),
    "amp": ("A", 0),
    "hertz": ("Hz", 0),
    "litre": ("L", 0),
}
FIXED = {
    "m3": " m³", "litreh": " L/h", "celsius": " °C", "percent": "%", "percentunit": "%", "ppm": " ppm", "dBm": " dBm",
    "voltampreact": " var", "none": "", "": "",
}  # fmt: skip


def written(value, unit="", digits=None) -> str:
    """``1.49 MWh``, ``£38.2K``, ``5.1%``."""
    if value is None or isinstance(value, str):
        return value or ""
    kind, _, sign = unit.partition(":")
    if kind == "currency":
        number, prefix = _scaled(value, 1000, ("", "K", "M", "B"))
        text = f"{sign}{_digits(abs(number), digits)}{prefix}"
        return f"-{text}" if value < 0 else text
    if kind == "s":
        return _seconds(value, digits)
    if kind in SCALED:
        sign, power = SCALED[kind]
        value, prefix = _scaled(value, 1000, ("", "k", "M", "G", "T")[power:])
        return f"{_digits(value, digits)} {prefix}{sign}"
    if kind == "percentunit":
        value *= 100
    return f"{_digits(value, digits)}{f' {sign}' if sign else FIXED[kind]}"


def _scaled(value, by, prefixes):
    k = 0
    while abs(value) >= by and k < len(prefixes) - 1:
        value, k = value / by, k + 1
    return value, prefixes[k]


def _seconds(value, digits):
    for size, sign in ((86400, "days"), (3600, "hours"), (60, "mins")):
        if abs(value) >= size:
            return f"{_digits(value / size, digits)} {sign}"
    return f"{_digits(value, digits)} s" if abs(value) >= 1 or not value else f"{_digits(value * 1000, digits)} ms"


def _digits(value, digits) -> str:
    if digits is None:
        digits = 0
        if value and value % 1:
            power = floor(log10(abs(value)))
            digits = 1 - power + (abs(value) / 10.0 ** (power - 1) > 2.25)
        digits = min(max(digits, 0), 6)
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not float(text) else text


def limit_colour(value, thresholds) -> str:
    """The colour of the last step that a figure has reached."""
    if value is None:
        return GREY
    found = thresholds["steps"][0]["color"]
    for step in thresholds["steps"][1:]:
        if value >= step["value"]:
            found = step["color"]
    return found


def mapped(value, mappings):
    """The words and colour that a mapping has for a value; None where none has."""
    for one in mappings or ():
        if one["type"] == "value":
            key = str(int(value)) if isinstance(value, float) and value == int(value) else str(value)
            if key in one["options"]:
                return one["options"][key].get("text", key), one["options"][key].get("color")
        result = one["options"].get("result", {})
        is_number = value is not None and not isinstance(value, str)
        in_range = one["type"] == "range" and is_number and one["options"]["from"] <= value <= one["options"]["to"]
        if in_range or (one["type"] == "regex" and re.search(one["options"]["pattern"], str(value))):
            return result["text"], result.get("color")
    return None


def shown(field, value) -> tuple[str, str]:
    """What stands in a cell, and its colour (or nothing)."""
    known = mapped(value, field.said("mappings"))
    if known:
        return known[0], known[1] or ""
    colour = ""
    if field.said("color", {}).get("mode") == "thresholds" and value is not None and not isinstance(value, str):
        colour = limit_colour(value, field.said("thresholds"))
    return written(value, field.said("unit", ""), field.said("decimals")), colour

"""A small renderer of dashboards: it draws what a real InfluxDB answered to each panel's own queries, as SVG.

It is no Grafana. It follows what is written in a dashboard's JSON (places, columns, units, limits, names), so that a
person can judge whether that makes sense, and says on every picture who drew it.
"""

from __future__ import annotations

from pathlib import Path

from dashboards import DASHBOARDS

FOLDER = Path(__file__).parents[3] / "docs" / "pictures" / "dashboards"
CHOICE = {"building": "b35", "utility": "electricity", "meter": "b35-electricity", "agent": "edge-1"}
"""What stands above the dashboards that are drawn."""

DRAWN = {
    **{f"en/{key}.json": f"{key}.svg" for key in DASHBOARDS},
    "en/lobby-b35.json": "lobby.svg",
    **{f"zh-Hans/{key}.json": f"{key}.zh-Hans.svg" for key in ("estate", "building", "water")},
}
"""The dashboards of which docs/dashboards.md has a picture, and its file."""

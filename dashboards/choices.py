"""A query of a panel as Grafana sends it, with what a reader would have chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facility.catalogue import Catalogue


def first_choice(board: dict[str, Any], catalogue: Catalogue) -> dict[str, str]:
    """What stands above a dashboard when it is opened."""
    chosen = {
        one["name"]: str(one["current"]["value"]) for one in board["templating"]["list"] if one["type"] == "custom"
    }
    meters = (m.id for m in catalogue.meters if m.building == chosen.get("building") and m.utility)
    return {**chosen, "meter": next(meters, "")}


def chosen_in(query: str, choice: Mapping[str, str]) -> str:
    """The query with a value in the place of each variable."""
    for name, value in choice.items():
        query = query.replace(f"${name}", value)
    return query


def panel_queries(board: dict[str, Any], choice: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Title and query of every target of the panels, ready to be sent by ``/api/ds/query``."""
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            sent = {**target, "query": chosen_in(target["query"], choice)}
            yield panel["title"], {**sent, "intervalMs": 3_600_000, "maxDataPoints": panel.get("maxDataPoints", 300)}

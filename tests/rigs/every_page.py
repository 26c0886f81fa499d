"""Pages that stand by themselves, one for each route of the console that takes no parameter."""

from __future__ import annotations

from console.pages import PAGES

LOOKED_AT_APART = frozenset({
    "/sign-in", "/sign-in/provider", "/sign-in/provider/back",  # for who is not signed in
    "/dashboards",  # leads to a Grafana, where a site has one
    "/take",  # shows the one thing that its link is for
    "/report",  # with its link (``work_in_hand``)
    "/audit", "/audit/whole",  # for an auditor
})  # fmt: skip
"""Pages that need more than their path, and have it where they are tested."""


def plain_paths() -> list[str]:
    """Every page that a path alone opens, for who may see everything."""
    routes = [route for router in PAGES.values() for route in router.routes]
    found = {route.path for route in routes if "GET" in route.methods and "{" not in route.path}
    return sorted(path for path in found - LOOKED_AT_APART if "." not in path)

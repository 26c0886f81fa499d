"""Every method and path of a console, with the parts of paths filled in."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.routing import Mount


def routes(app, parts):
    """Every (method, path) of the application, also those of included routers."""
    pending, found = list(app.routes), []
    while pending:
        route = pending.pop()
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if isinstance(route, APIRoute):
            found += [(method, route.path.format(**parts)) for method in route.methods]
        elif isinstance(route, Mount):
            found.append(("GET", f"{route.path}/"))
        elif inner:
            pending += inner
        else:
            raise AssertionError(f"a route of an unknown kind: {route!r}")
    return found

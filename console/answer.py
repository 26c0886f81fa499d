"""A page as an answer: a template with what every template knows, the counts beside the page names included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from console.figures.estate import number_unsettled
from console.guard import csrf_token
from console.refusals import number_waiting
from console.visit import language_of, parts_of
from facility.rights import Act
from facility.system_alarm import Outlook
from wording.formats import Formats
from wording.texts import load_texts

if TYPE_CHECKING:
    from starlette.requests import Request

    from console.visit import Visit

UTC_FORMATS = ("UTC", "XXX")
"""Zone and currency of pages that belong to no estate yet."""


def page(
    request: Request, template: str, *, status: int = 200, visit: Visit | None = None, **context: Any
) -> HTMLResponse:
    """A template as an answer. Without a visit (a stranger, a problem) nothing of the estate is shown."""
    parts = parts_of(request)
    language = visit.texts.language if visit else language_of(request)
    known = {
        "t": load_texts(language),
        "language": language,
        "f": visit.formats if visit else Formats(language, *UTC_FORMATS),
        "visit": visit,
        "csrf": csrf_token(request.state.session) if request.state.session else "",
        "path": request.url.path,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "now": parts.clock(),
        "grafana": parts.grafana,
        "has_authority": parts.authority is not None,
        "provider": parts.provider.name if parts.provider else "",
        "has_ground": parts.ground is not None,
        "has_mailbox": visit is not None and visit.view.has_mailbox,
        "may": lambda act: visit is not None and visit.view.may(Act[act]),
        "badge_count": lambda: number_unsettled(visit) if visit else 0,
        "system_outlook": visit.view.system_outlook if visit else Outlook,
        "spells_count": visit.view.spells.number_asked if visit else int,
        "waiting_count": lambda: number_waiting(visit.view.quarantine.tallies()) if visit else 0,
    }
    return HTMLResponse(parts.templates.get_template(template).render(known | context), status)

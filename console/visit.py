"""One request in the eyes of the console: who asks, in which language, of which estate, at what time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation of a dependency
from starlette.responses import HTMLResponse

from console.estate_cards import open_alerts
from console.guard import csrf_token
from console.refusals import number_waiting
from facility.errors import ConfigError
from wording.alerts import Wording, render
from wording.formats import Formats
from wording.texts import Texts, choose_language, load_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jinja2 import Environment

    from console.live import LiveValues, Picture
    from console.seats import Seats
    from console.system import System
    from facility.catalogue import Catalogue
    from facility.work import Alert
    from stores.readings.port import ReadingStore
    from stores.records.casebook import Casebook
    from stores.records.errands import Errands
    from stores.records.people import People
    from stores.records.quarantine.quarantine import Quarantine
    from stores.records.registry import Registry

LANGUAGE_COOKIE = "meterhouse_language"

UTC_FORMATS = ("UTC", "XXX")
"""Zone and currency of pages that belong to no estate yet."""


class Estate:
    """The estate as last applied: loaded again only when the registry's version has changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._known: tuple[int, Catalogue] | None = None

    def catalogue(self) -> Catalogue | None:
        """None while nothing has been applied."""
        version = self._registry.version()
        with self._lock:
            if self._known is None or self._known[0] != version:
                try:
                    self._known = (version, self._registry.load())
                except ConfigError:
                    return None
            return self._known[1]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the console is made of, composed once in ``create_app``."""

    store: ReadingStore
    casebook: Casebook
    people: People
    quarantine: Quarantine
    errands: Errands
    estate: Estate
    live: LiveValues
    clock: Callable[[], datetime]
    templates: Environment
    session_s: int
    seats: Seats
    system: System


class NoEstateError(Exception):
    """A page was asked for before any estate was applied."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything a page needs to know about one request."""

    parts: Parts
    catalogue: Catalogue
    texts: Texts
    formats: Formats
    now: datetime
    person: str
    picture: Picture

    @property
    def now_ms(self) -> int:
        """``now`` in the store's unit."""
        return round(self.now.timestamp() * 1000)

    def midnight_ms(self) -> int:
        """When today began on the site's clock."""
        local = self.formats.local(self.now)
        return round(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)

    def wording(self, alert: Alert) -> Wording:
        """An alert's sentences in the reader's language."""
        params = {"meter": alert.meter, "building": alert.building} | alert.params
        return render(alert.message_id, params, self.texts.language, self.catalogue)


def language_of(request: Request) -> str:
    """The person's own setting, else the cookie, else what the browser asks for."""
    person = request.state.person
    wishes = (
        person.language if person and person.language else "",
        request.cookies.get(LANGUAGE_COOKIE, ""),
        request.headers.get("accept-language", ""),
    )
    return choose_language(*wishes)


def visit_of(request: Request) -> Visit:
    """The visit behind a request (a dependency of every page). Raises ``NoEstateError`` before the first apply."""
    parts: Parts = request.app.state.parts
    catalogue = parts.estate.catalogue()
    if catalogue is None:
        raise NoEstateError
    language = language_of(request)
    return Visit(
        parts=parts,
        catalogue=catalogue,
        texts=load_texts(language),
        formats=Formats(language, catalogue.site.timezone, catalogue.site.currency),
        now=parts.clock(),
        person=request.state.person.name,
        picture=parts.live.picture,
    )


def page(
    request: Request, template: str, *, status: int = 200, visit: Visit | None = None, **context: Any
) -> HTMLResponse:
    """A template as an answer, with what every template knows."""
    parts: Parts = request.app.state.parts
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
        "badge_count": lambda: len(open_alerts(visit)) if visit else 0,
        "system_alarms": parts.system.alarms if visit else list,
        "waiting_count": lambda: number_waiting(parts.quarantine.tallies()),
    }
    return HTMLResponse(parts.templates.get_template(template).render(known | context), status)

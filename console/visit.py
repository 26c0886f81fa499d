"""One request in the eyes of the console: who asks, in which language, of which estate, at what time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation of a dependency

from accounting.local_time import DAY_MS, day_edges
from wording.formats import Formats
from wording.names import Names
from wording.texts import Texts, choose_language, load_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jinja2 import Environment

    from console.authority import Authority
    from console.guesses import Guesses
    from console.provider import Provider
    from console.seats import Seats
    from facility.catalogue import Catalogue
    from reports.doctor import Ground
    from stores.access import Access, Picture, View

LANGUAGE_COOKIE = "meterhouse_language"


@dataclass(frozen=True, slots=True)
class ConsoleParts:
    """What the console is made of, composed once in ``create_app``."""

    access: Access
    clock: Callable[[], datetime]
    templates: Environment
    session_s: int
    seats: Seats
    guesses: Guesses
    reports: Guesses
    """How often an address has reported something: counted as refused links are."""

    is_ending: Callable[[], bool]
    """Whether streams should close because the console stops."""

    grafana: str = ""
    """Where a browser reaches the dashboards; empty: nowhere."""

    authority: Authority | None = None
    """Who signed the certificate, where it is the site's own."""

    provider: Provider | None = None
    """Who vouches for people, where the site has a provider."""

    ground: Ground | None = None
    """Where the server is, for who runs it; None where the console knows no data folder."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything a page needs to know about one request. What is kept comes through ``view`` alone."""

    view: View
    texts: Texts
    formats: Formats
    now: datetime

    @property
    def catalogue(self) -> Catalogue:
        """The estate, as far as the visitor may see it."""
        return self.view.catalogue

    @property
    def picture(self) -> Picture:
        """The newest values, as far as the visitor may see them."""
        return self.view.picture

    @property
    def now_ms(self) -> int:
        """``now`` in the store's unit."""
        return round(self.now.timestamp() * 1000)

    def midnight_ms(self) -> int:
        """When today began on the site's clock."""
        return self.midnights_ms(0)[0]

    def midnights_ms(self, days: int) -> list[int]:
        """When so many days before today, and today, began on the site's clock, and when today ends: ``days + 2``."""
        edges = day_edges(self.now_ms - (days + 2) * DAY_MS, self.now_ms + 1, self.formats.zone)
        found: list[int] = edges[-days - 2 :].tolist()
        return found

    @property
    def names(self) -> Names:
        """What the estate's things are called in the visitor's language."""
        return Names(self.catalogue, self.texts.language)


def parts_of(request: Request) -> ConsoleParts:
    """The parts of the console that answers a request."""
    parts: ConsoleParts = request.app.state.parts
    return parts


def language_of(request: Request) -> str:
    """The person's own setting, else the cookie, else what the browser asks for."""
    person = request.state.person
    wishes = (
        person.language if person and person.language else "",
        request.cookies.get(LANGUAGE_COOKIE, ""),
        request.headers.get("accept-language", ""),
    )
    return choose_language(*wishes)


def view_of(request: Request) -> View:
    """What the person behind a request may see and do (a dependency of what needs no estate)."""
    person = request.state.person
    return parts_of(request).access.view(person.name, person.proof)


def visit_of(request: Request) -> Visit:
    """The visit behind a request (a dependency of every page). Raises ``NoEstateError`` before the first apply."""
    view, language = view_of(request), language_of(request)
    site = view.catalogue.site
    return Visit(view, load_texts(language), Formats(language, site.timezone, site.currency), parts_of(request).clock())


def view_of_link(request: Request, person: str) -> View:
    """What somebody sees who is not signed in: whose link it is that was followed."""
    return parts_of(request).access.view(person)

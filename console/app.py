"""The console as one ASGI application: its parts put together, every route behind the guard."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from console.answer import page
from console.api import API
from console.feeds import Feeds
from console.guard import OPEN_PATHS, SAFE_METHODS, Guard, csrf_holds
from console.guesses import Guesses
from console.pages import PAGES
from console.seats import Seats
from console.visit import ConsoleParts, parts_of, visit_of
from facility.errors import Denied, Rejected, StoreUnavailable
from facility.work import still_shows
from stores.access import Access, LiveValues, NoEstateError, Stale, kept_rights
from wording.alarms import alarm_sentence, unseen_sentence
from wording.refusals import advice, held, refusal
from wording.remarks import remark_text
from wording.spells import ACTS, meaning, what_it_is
from wording.texts import LANGUAGES, load_texts
from wording.units import unit_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from datetime import datetime

    from sqlalchemy import Engine

    from console.authority import Authority
    from console.provider import Provider
    from reports.doctor import Ground
    from stores.access import Rights, SecondFactorOf
    from stores.mailbox import Mailbox
    from stores.readings.port import ReadingStore

FOLDER = Path(__file__).parent
DAY_S = 86_400
MOST_NOTED = 200
"""Characters of an address that are put on record."""

STORIES = {"case": "event.", "item": "quarantine.step.", "spell": "spell.step.", "order": "order.step."}
"""What people act on here → the texts that tell what others did to it."""


def create_app(
    store: ReadingStore,
    records: Engine,
    clock: Callable[[], datetime],
    *,
    hosts: Collection[str],
    session_s: int = DAY_S // 2,
    idle_s: float = DAY_S // 48,
    live: LiveValues | None = None,
    rights_of: Callable[[str], Rights] | None = None,
    grafana: str = "",
    authority: Authority | None = None,
    second_factor: SecondFactorOf = "administrators",
    provider: Provider | None = None,
    ground: Ground | None = None,
    mailbox: Mailbox | None = None,
) -> FastAPI:
    """The application. ``hosts`` are the Host headers that are answered; the live thread runs while it serves.

    ``rights_of`` tells by a person's name what they may see and do, None: what the records say; ``grafana`` is where
    dashboards are, if anywhere; ``authority`` is who signed the certificate, where phones do not know them;
    ``second_factor`` says whose roles need a code of a phone; ``provider`` is who vouches for people, where there is
    one; ``ground`` is where the server is; ``mailbox`` holds the letters of a demo.
    """
    live = live or LiveValues(store)
    rights = rights_of or kept_rights(records, clock)
    access = Access(store, records, live, rights, clock, idle_s=idle_s, second_factor=second_factor, mailbox=mailbox)
    templates = environment()
    own = (access, clock, templates, session_s, Seats(), Guesses(), Guesses(), lambda: live.is_ending)
    parts = ConsoleParts(*own, grafana, authority, provider, ground)
    for language in LANGUAGES:
        load_texts(language)
    app = FastAPI(
        title="Meterhouse",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_following(live),
        dependencies=[Depends(check_form)],
        exception_handlers={
            HTTPException: _refusal,
            RequestValidationError: _not_understood,
            ClientDisconnect: _gone,
            NoEstateError: _no_estate,
            StoreUnavailable: _store_lost,
            Rejected: _rejected,
            Denied: _denied,
            Stale: _stale,
        },
    )
    app.state.parts = parts
    app.state.feeds = Feeds(templates, access, clock)
    for router in (*PAGES.values(), *API.values()):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_middleware(
        Guard,
        hosts=hosts,
        person_of=lambda session, is_used, browser: access.person(session, clock(), is_used=is_used, browser=browser),
    )
    return app


def environment() -> Environment:
    """Templates: everything escaped, an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    worded = (
        still_shows,
        unit_in,
        remark_text,
        refusal,
        advice,
        held,
        alarm_sentence,
        unseen_sentence,
        meaning,
        what_it_is,
    )
    made.globals |= {words.__name__: words for words in worded} | {"acts_on_spells": ACTS}
    return made


async def check_form(request: Request) -> None:
    """Refuse a form of a signed-in person that does not carry the session's token (a dependency of every route)."""
    if request.method in SAFE_METHODS or request.url.path in OPEN_PATHS:
        return
    stated = request.headers.get("x-csrf-token") or (await request.form()).get("csrf", "")
    if not isinstance(stated, str) or not csrf_holds(request.state.session, stated):
        raise HTTPException(403)


def _following(live: LiveValues) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        live.start()
        yield
        live.stop()

    return lifespan


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _problem(request: Request, status: int, word: str, back: str = "/", **context: Any) -> Response:
    if _wants_json(request):
        return JSONResponse({"error": word}, status)
    return page(request, "problem.html", status=status, word=word, back=back, **context)


async def _refusal(request: Request, error: HTTPException) -> Response:
    if error.status_code in {403, 404}:  # a form that is none of ours; not there, or not theirs
        await _note_denied(request)
    words = {404: "not_found", 405: "not_found", 403: "form_refused", 429: "too_many"}
    answer = _problem(request, error.status_code, words.get(error.status_code, "not_understood"))
    answer.headers.update(error.headers or {})
    return answer


async def _not_understood(request: Request, _error: RequestValidationError) -> Response:
    return _problem(request, 422, "not_understood")


async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    """Who left, or was sent away, before the form had come: nobody reads this."""
    return Response(status_code=400)


async def _no_estate(request: Request, _error: NoEstateError) -> Response:
    return _problem(request, 503, "no_estate")


async def _store_lost(request: Request, _error: StoreUnavailable) -> Response:
    return _problem(request, 503, "store_lost")


async def _rejected(request: Request, _error: Rejected) -> Response:
    return _problem(request, 409, "too_late", back=_place_of(request))


async def _denied(request: Request, _error: Denied) -> Response:
    await _note_denied(request)
    return _problem(request, 403, "not_yours", back=_place_of(request))


async def _note_denied(request: Request) -> None:
    """Whoever looks for what is not theirs is on record: the door cannot know whether by mistake."""
    parts, person = parts_of(request), request.state.person
    if person is None:
        return
    asked = f"{request.method} {request.url.path}"[:MOST_NOTED]
    address = request.client.host if request.client else ""
    with suppress(StoreUnavailable):
        await run_in_threadpool(parts.access.note_denied, parts.clock(), person.name, asked, address)


async def _stale(request: Request, error: Stale) -> Response:
    story = {"deeds": error.deeds, "family": STORIES.get(error.record, ""), "f": visit_of(request).formats}
    return _problem(request, 409, "too_late", back=_place_of(request), **story)


def _place_of(request: Request) -> str:
    """The page of what an act was meant for."""
    return request.url.path.rpartition("/")[0]

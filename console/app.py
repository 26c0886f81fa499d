"""The console as one ASGI application: its parts put together, every route behind the guard."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - FastAPI reads it when the application is built
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from console.api import API
from console.guard import OPEN_PATHS, SAFE_METHODS, Guard, csrf_holds
from console.live import LiveValues
from console.pages import PAGES
from console.seats import Seats
from console.system import System
from console.visit import Estate, NoEstateError, Parts, page
from facility.errors import Rejected, StoreUnavailable
from stores.records.casebook import Casebook
from stores.records.errands import Errands
from stores.records.people import People
from stores.records.quarantine.quarantine import Quarantine
from stores.records.registry import Registry
from wording.texts import LANGUAGES, load_texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from datetime import datetime

    from sqlalchemy import Engine

    from stores.readings.port import ReadingStore

FOLDER = Path(__file__).parent
DAY_S = 86_400


def create_app(
    store: ReadingStore,
    records: Engine,
    clock: Callable[[], datetime],
    *,
    hosts: Collection[str],
    session_s: int = DAY_S // 2,
    live: LiveValues | None = None,
    data: Path | None = None,
) -> FastAPI:
    """The application. ``hosts`` are the Host headers that are answered; the live thread runs while it serves.

    ``data`` is ingest's folder, if it is on this machine: then pages tell what is wrong with Meterhouse itself.
    """
    people = People(records)
    parts = Parts(
        store=store,
        casebook=Casebook(records),
        people=people,
        quarantine=Quarantine(records),
        errands=Errands(records),
        estate=Estate(Registry(records)),
        live=live or LiveValues(store),
        clock=clock,
        templates=environment(),
        session_s=session_s,
        seats=Seats(),
        system=System(data, clock),
    )
    for language in LANGUAGES:
        load_texts(language)
    app = FastAPI(
        title="Meterhouse",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_following(parts.live),
        dependencies=[Depends(check_form)],
        exception_handlers={
            HTTPException: _refusal,
            RequestValidationError: _not_understood,
            NoEstateError: _no_estate,
            StoreUnavailable: _store_lost,
            Rejected: _rejected,
        },
    )
    app.state.parts = parts
    for router in (*PAGES.values(), *API.values()):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_middleware(Guard, hosts=hosts, person_of=lambda session: people.person(session, clock()))
    return app


def environment() -> Environment:
    """Templates: everything escaped, an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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


def _problem(request: Request, status: int, word: str, back: str = "/") -> Response:
    if _wants_json(request):
        return JSONResponse({"error": word}, status)
    return page(request, "problem.html", status=status, word=word, back=back)


async def _refusal(request: Request, error: HTTPException) -> Response:
    words = {404: "not_found", 405: "not_found", 403: "form_refused"}
    answer = _problem(request, error.status_code, words.get(error.status_code, "not_understood"))
    answer.headers.update(error.headers or {})
    return answer


async def _not_understood(request: Request, _error: RequestValidationError) -> Response:
    return _problem(request, 422, "not_understood")


async def _no_estate(request: Request, _error: NoEstateError) -> Response:
    return _problem(request, 503, "no_estate")


async def _store_lost(request: Request, _error: StoreUnavailable) -> Response:
    return _problem(request, 503, "store_lost")


async def _rejected(request: Request, _error: Rejected) -> Response:
    return _problem(request, 409, "too_late", back=request.url.path.rpartition("/")[0])

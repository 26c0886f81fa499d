"""The door of the console: which hosts, which paths without a session, and the headers on everything that leaves."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from facility.errors import StoreUnavailable
from stores.access import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from stores.records.people import Person

    PersonOf = Callable[[str, bool, Browser], Person | None]

SESSION_COOKIE = "meterhouse_session"
MOST_SESSIONS = 4
"""How many cookies of that name are tried: another site on this host may have set one too."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

OPEN_PATHS: frozenset[str] = frozenset(
    {
        *("/sign-in", "/sign-in/password", "/sign-in/provider", "/sign-in/provider/back"),
        *("/take", "/report", "/health", "/ca", "/ca.crt", "/ca.svg"),
    }
)
"""Exactly these paths, and files under ``/static/``, are answered without a session. Everything else is denied."""

LIVE_PATHS: frozenset[str] = frozenset({"/events", "/live"})
"""What pages ask by themselves: nobody need be there."""

STATIC_PREFIX = "/static/"

NOBODY = (None, "")

MOST_BODY_BYTES = 64 * 1024
"""No form of ours is longer; also a stranger may post to the sign-in page."""

MOST_UPLOAD_BYTES = {"/imports": 16 * 2**20}
"""Where somebody who is signed in hands in a file."""

MOST_PHOTO_BYTES = 32 * 2**20
"""A photo of a work order: one that is larger than what is kept shall be told so by a page."""

_ORDER_FILES = re.compile(r"/orders/\d{1,9}/files")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def csrf_token(session: str) -> str:
    """The token that a session's forms carry: known to our pages, not to another site's."""
    return hashlib.sha256(b"form of " + session.encode()).hexdigest()


def csrf_holds(session: str, stated: str) -> bool:
    """Whether a form carried its session's token."""
    return bool(session) and hmac.compare_digest(csrf_token(session).encode(), stated.encode(errors="replace"))


def session_cookie(scheme: str) -> str:
    """The name of the session's cookie. By TLS it is one that no other host can set (RFC 6265bis, 4.1.3)."""
    return f"__Host-{SESSION_COOKIE}" if scheme == "https" else SESSION_COOKIE


def sessions_of(headers: Headers, scheme: str) -> list[str]:
    """The session tokens in the cookies, the first ones; what is no cookie among them is passed over."""
    name = session_cookie(scheme)
    pairs = (pair.partition("=") for text in headers.getlist("cookie") for pair in text.split(";"))
    found = dict.fromkeys(value.strip(' "') for key, _, value in pairs if key.strip() == name)
    return [value for value in found if value][:MOST_SESSIONS]


class Guard:
    """ASGI middleware in front of every route, also of those that do not exist."""

    def __init__(
        self, app: ASGIApp, hosts: Collection[str], person_of: Callable[[str, bool, Browser], Person | None]
    ) -> None:
        """``person_of`` is told a session and whether the person uses it now, or a page of theirs renews itself."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._person_of = person_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = await self._admit(scope)
            most = MOST_BODY_BYTES if refusal else _most_bytes(scope)
            await (refusal or self._app)(scope, _bounded(receive, most), _with_headers(send, scope))

    async def _admit(self, scope: Scope) -> Response | None:
        """None to pass, with the person in ``scope["state"]``; else the answer."""
        headers = Headers(scope=scope)
        if headers.get("host", "") not in self._hosts:
            return PlainTextResponse("this host name is not answered here", 400)
        if scope["method"] not in SAFE_METHODS and not _same_origin(headers):
            return PlainTextResponse("forms are accepted from our own pages only", 403)
        if _stated_length(headers) > _most_bytes(scope):
            return PlainTextResponse("this is longer than any form of ours", 413)
        public_file = scope["path"].startswith(STATIC_PREFIX)
        sessions = [] if public_file else sessions_of(headers, scope["scheme"])
        try:
            person, session = await self._known(sessions, scope, headers)
        except StoreUnavailable:
            return JSONResponse({"error": "store_lost"}, 503)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["person"], state["session"] = person, session
        if person or public_file or scope["path"] in OPEN_PATHS:
            return None
        return _ask_to_sign_in(scope, headers)

    async def _known(self, sessions: Sequence[str], scope: Scope, headers: Headers) -> tuple[Person | None, str]:
        if not sessions:
            return NOBODY
        return await run_in_threadpool(self._signed_in, sessions, scope["path"], browser_of(scope, headers))

    def _signed_in(self, sessions: Sequence[str], path: str, browser: Browser) -> tuple[Person | None, str]:
        """Who comes with one of these sessions, and with which."""
        for session in sessions:
            if person := self._person_of(session, path not in LIVE_PATHS, browser):
                return person, session
        return NOBODY


def browser_of(scope: Scope, headers: Headers) -> Browser:
    """From where a request comes."""
    address = (scope.get("client") or ("",))[0]
    return Browser(headers.get("user-agent", ""), address)


def _same_origin(headers: Headers) -> bool:
    """A browser names the origin of a form; other clients name none, and carry the CSRF token all the same."""
    origin, host = headers.get("origin"), headers.get("host", "")
    return origin is None or origin in {f"http://{host}", f"https://{host}"}


def _stated_length(headers: Headers) -> int:
    stated = headers.get("content-length", "0")
    return int(stated) if stated.isdecimal() and len(stated) <= 20 else 2**64  # noqa: PLR2004 - 64 bits


def _most_bytes(scope: Scope) -> int:
    if _ORDER_FILES.fullmatch(scope["path"]):
        return MOST_PHOTO_BYTES
    return MOST_UPLOAD_BYTES.get(scope["path"], MOST_BODY_BYTES)


def _bounded(receive: Receive, most: int) -> Receive:
    """Ends the reading of a body that states no length and does not end: nobody fills our memory."""
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413)
        return message

    return receive_some


def _ask_to_sign_in(scope: Scope, headers: Headers) -> Response:
    if "hx-request" in headers:
        return Response(status_code=401, headers={"hx-redirect": "/sign-in"})
    if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/sign-in", 303)
    return JSONResponse({"error": "sign in first"}, 401)


def _with_headers(send: Send, scope: Scope) -> Send:
    """Add the security headers; what is personal is not kept by caches; who came by TLS always does."""

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
            headers["cache-control"] = "no-cache" if scope["path"].startswith(STATIC_PREFIX) else "no-store"
            if scope["scheme"] == "https":
                headers["strict-transport-security"] = "max-age=31536000"
        await send(message)

    return send_guarded

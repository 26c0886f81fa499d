"""How a process fares, at an address of this machine alone: ``/metrics`` for Prometheus, ``/health`` as JSON.

Names of agents are not the world's, so no other machine can ask. A process whose settings name no address answers
``/health`` all the same, at a port of its own under a path that only its note tells: a file in the data folder, for
readers who may read there.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
import threading
import time
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog

from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Self
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

WHERE = "METERHOUSE_METRICS"
HEALTH = "/health"
OWN_ADDRESS = "127.0.0.1:0"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STATE, WELL = "state", "ok"
NOTE = ".health"
"""End of the name of a process's note."""

MOST_ASKING, LONGEST_ASKING_S = 16, 10.0
"""How many may ask at once, and how long each may take."""

log = structlog.get_logger()


class Collects(Protocol):
    """What tells figures when it is asked."""

    def collect(self) -> Iterable[Any]:
        """Every figure with its meaning, as prometheus-client knows them."""


class HealthServer:
    """Answers from a thread of its own until it is closed; use as a context manager."""

    def __init__(
        self, address: str, health: Callable[[], Mapping[str, Any]], *figures: Collects, note: Path | None = None
    ) -> None:
        """Answer at ``host:port`` (port 0: a free one), or where the ``note`` alone says. Raises ``ConfigError``.

        ``health`` may be asked by any thread: its ``state`` is ``ok``, or a word for what is wrong, which is answered
        with 503. ``figures`` are answered with processor time and memory of the process beside them.
        """
        self.address = ""
        self._server: _Server | None = None
        self._note = note
        if address:
            path = HEALTH
            self._server = _listen(address, _application(health, figures))
        elif note is not None:
            address, path = OWN_ADDRESS, f"{HEALTH}/{secrets.token_urlsafe(16)}"
            self._server = _listen(address, _health_alone(health, path))
        if self._server is not None:
            self.address = f"{address.rpartition(':')[0]}:{self._server.server_port}"
            self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
            self._thread.start()
            self._leave_note(f"http://{self.address}{path}")

    @property
    def asking(self) -> int:
        """How many ask now."""
        return len(self._server.since_s) if self._server is not None else 0

    def close(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            if self._note is not None:
                with suppress(OSError):
                    self._note.unlink()

    def _leave_note(self, url: str) -> None:
        if self._note is not None:
            with suppress(OSError):  # a full disk: then it is found by the records alone
                self._note.write_text(url, encoding="ascii")

    def __enter__(self) -> Self:
        """Nothing to do: it answers from its making on."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def note_file(folder: Path, process: str) -> Path:
    """Where a process of this name leaves word where it answers."""
    return folder / f"{process}{NOTE}"


def noted_health(folder: Path) -> list[str]:
    """Where the processes that use a data folder answer, as far as they left word and we may read it."""
    urls = []
    for note in sorted(folder.glob(f"*{NOTE}")):
        with suppress(OSError, UnicodeDecodeError):
            urls.append(note.read_text(encoding="ascii").strip())
    return urls


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a question: a slow one keeps nobody waiting."""

    daemon_threads = True

    def __init__(self, *given: Any) -> None:
        self.since_s: dict[socket.socket, float] = {}
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A descriptor and a thread for each who asks are taken from the work of the process: few at once get one."""
        if len(self.since_s) >= MOST_ASKING:
            self.shutdown_request(request)
            return
        self.since_s[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Twice a second: who has not asked by now, or does not listen, asks no more."""
        for request, since_s in list(self.since_s.items()):
            if time.monotonic() - since_s > LONGEST_ASKING_S:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """It is over."""
        self.since_s.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's own names
        """Whoever asks may go away in the midst of it: Python would write a traceback past our log each time."""
        log.warning("health_asked_in_part", error=repr(sys.exc_info()[1]))


class _Server6(_Server):
    """The same at ``[::1]``."""

    address_family = socket.AF_INET6


class _QuietRequest(WSGIRequestHandler):
    """Says nothing of who asked."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's own name
        """Nothing."""


def _listen(address: str, application: WSGIApplication) -> _Server:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if host not in LOOPBACK or not port.isdigit():
        raise ConfigError(Problem(WHERE, f"'{address}' is no port of this machine alone", "127.0.0.1:9464"))
    try:
        return make_server(host, int(port), application, _Server6 if ":" in host else _Server, _QuietRequest)
    except (OSError, OverflowError) as error:
        raise ConfigError(Problem(WHERE, f"{address} cannot be used ({error})", "another port")) from None


def _application(health: Callable[[], Mapping[str, Any]], figures: Iterable[Collects]) -> WSGIApplication:
    # Only now: the client takes long to load, and a process without an address needs none of it.
    from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app  # noqa: PLC0415

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for some in figures:
        registry.register(some)
    metrics: WSGIApplication = make_wsgi_app(registry)

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start)
        return at_health(environ, start)

    at_health = _health_alone(health, HEALTH)
    return answer


def _health_alone(health: Callable[[], Mapping[str, Any]], path: str) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "") != path:
            start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"nothing is answered here\n"]
        status, tree = _ask(health)
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(tree).encode()]

    return answer


def _ask(health: Callable[[], Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
    try:
        tree = health()
    except Exception:
        log.exception("health_cannot_be_told")
        tree = {STATE: "unknown"}
    return "200 OK" if tree.get(STATE) == WELL else "503 Service Unavailable", tree

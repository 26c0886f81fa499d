"""Tells an address outside that Meterhouse is well: who watches there misses the word when it no longer comes.

Nothing is told where no readings are taken in, or where nobody can see whether they are: then silence is the word.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from http.client import HTTPException
from typing import TYPE_CHECKING, Literal
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog

from facility.duties import Standing, standing
from facility.errors import ConfigError, Problem, StoreUnavailable
from facility.system_alarm import SystemAlarm, outlook
from process.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event
    from typing import Self

    from facility.status import Overview, ProcessStatus

WHERE = f"{PREFIX}HEARTBEAT"
ALLOWED = "an address such as https://watch.example.org/ping/KEY, with {state} where the state belongs"
PLACE = "{state}"
"""In the address it becomes ``well`` or ``degraded``."""

ANSWER_S = 10.0
MOST_BYTES = 65_536
FAILS_AFTER = 3
"""So many beats in a row that did not arrive are an alarm."""

Method = Literal["post", "get"]

log = structlog.get_logger()


class Heartbeat:
    """A thread of its own: whoever does not answer holds up nobody. Use as a context manager.

    The address may hold a key: it is in no log line and no status. By ``post`` the state is the body; by ``get`` it
    stands where the address has a place for it, and without a place only the word that all is well is sent.
    """

    def __init__(self, url: str, method: Method, every_s: float, overview: Callable[[], Overview], stop: Event) -> None:
        """Raises ``ConfigError`` for what is no address of the web; an empty one is nobody's."""
        if url and not re.fullmatch(r"https?://[^\s/@?#]+([/?][!-~]*)?", url):
            raise ConfigError(Problem(WHERE, "cannot be used", ALLOWED))
        self._url, self._method, self._every_s = url, method, every_s
        self._overview, self._stop = overview, stop
        self._opener = build_opener(NoRedirect())
        self._failed, self._last_failure = 0, ""
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def beside(self, status: Callable[[], ProcessStatus]) -> Callable[[], ProcessStatus]:
        """The status of the process with an alarm while nobody outside is reached."""

        def both() -> ProcessStatus:
            own = status()
            if self._failed < FAILS_AFTER:
                return own
            return replace(own, alarms={**own.alarms, SystemAlarm.HEARTBEAT_FAILS: self._last_failure})

        return both

    def _run(self) -> None:
        while not self._stop.is_set():
            self._beat()
            self._stop.wait(self._every_s)

    def _beat(self) -> None:
        request = self._request()
        if request is None:
            return
        try:
            with self._opener.open(request, timeout=ANSWER_S) as answer:
                answer.read(MOST_BYTES)
        except HTTPError as error:
            with error:
                self._fail(f"the answer was {error.code}")
        except URLError as error:
            self._fail(_in_words(error.reason))
        except (OSError, HTTPException, ValueError) as error:
            self._fail(_in_words(error))
        else:
            if self._failed >= FAILS_AFTER:
                log.info("heartbeat_arrives_again")
            self._failed = 0

    def _request(self) -> Request | None:
        state = self._state()
        if state is None:
            return None
        url = self._url.replace(PLACE, state)
        if self._method == "post":
            body = json.dumps({"state": state}).encode()
            return Request(url, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 - checked above
        return Request(url) if state == Standing.WELL or PLACE in self._url else None  # noqa: S310

    def _state(self) -> Standing | None:
        """How Meterhouse stands, but for the alarm that nobody outside hears it; None where that is no life."""
        try:
            overview = self._overview()
        except StoreUnavailable:
            return None
        seen = outlook(overview)
        others = [one for one in seen.alarms if one.alarm is not SystemAlarm.HEARTBEAT_FAILS]
        stands = standing(overview, replace(seen, alarms=others))
        return None if stands is Standing.DOWN else stands

    def _fail(self, why: str) -> None:
        self._failed, self._last_failure = self._failed + 1, why
        if self._failed == FAILS_AFTER:
            log.warning("heartbeat_fails", error=why)

    def __enter__(self) -> Self:
        """Begin, if there is an address."""
        if self._url:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """It ends with the process."""


class NoRedirect(HTTPRedirectHandler):
    """Another address is not the one that the site chose: an answer like any other that is not well."""

    def redirect_request(self, *_: object) -> None:
        """None."""


def _in_words(reason: object) -> str:
    """What the system said; an error of the library may repeat the address, so of those only the kind."""
    return reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__

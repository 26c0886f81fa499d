"""Tells a site's own maintenance system of each step of a work order: in order, until it has arrived, under one id."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from http.client import HTTPException
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

import structlog

from analytics.heartbeat import NoRedirect
from analytics.loop import Loop
from facility.errors import ConfigError, Problem
from process.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from analytics.metrics import Rounds
    from facility.status import ProcessStatus
    from stores.records.orders.order_telling import OrderTelling, OrderWord

WHERE = f"{PREFIX}ORDERS_HOOK"
ANSWER_S = 10.0
MOST_BYTES = 65_536
PAUSE_S = 1.0
FIRST_DELAY_S, LONGEST_DELAY_S = 2.0, 300.0
GOODBYE_S = 2.0
FACT = "orders hook"

log = structlog.get_logger()


class OrderHook:
    """Use as a context manager. The address may hold a key: it is in no log line and no status."""

    def __init__(self, url: str, telling: OrderTelling, rounds: Rounds) -> None:
        """Raises ``ConfigError`` for what is no address of the web; an empty one is nobody's."""
        if url and not re.fullmatch(r"https?://[^\s/@?#]+([/?][!-~]*)?", url):
            raise ConfigError(Problem(WHERE, "cannot be used", "an address such as https://cmms.example.org/hook/KEY"))
        self._url, self._telling, self._stop = url, telling, Event()
        self._opener = build_opener(NoRedirect())
        self._failed, self._why = 0, ""
        self._loop = Loop("orders hook", self.turn, rounds, PAUSE_S)

    def beside(self, status: Callable[[], ProcessStatus]) -> Callable[[], ProcessStatus]:
        """The status of the process, with how the address fares."""

        def both() -> ProcessStatus:
            own = status()
            return replace(own, facts={**own.facts, FACT: self._why or "well"}) if self._url else own

        return both

    def turn(self) -> bool:
        """Tell what is next; whether it arrived, and more may follow."""
        word = self._telling.next()
        if word is None:
            return False
        why = self._post(word)
        if why:
            self._fail(why)
            return False
        self._telling.end(word)
        self._failed, self._why = 0, ""
        return True

    def _post(self, word: OrderWord) -> str:
        """Empty where it has arrived, else why not."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(word.id)}
        request = Request(self._url, json.dumps(body_of(word)).encode(), headers, method="POST")  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=ANSWER_S) as answer:
                answer.read(MOST_BYTES)
        except HTTPError as error:
            with error:
                return f"the answer was {error.code}"
        except URLError as error:
            return type(error.reason).__name__ if isinstance(error.reason, Exception) else "no connection"
        except (OSError, HTTPException, ValueError) as error:
            return type(error).__name__
        return ""

    def _fail(self, why: str) -> None:
        if not self._failed:
            log.warning("orders_hook_fails", error=why)
        self._failed, self._why = self._failed + 1, why
        self._stop.wait(min(FIRST_DELAY_S * 2.0 ** min(self._failed - 1, 10), LONGEST_DELAY_S))

    def __enter__(self) -> Self:
        """Begin, if there is an address."""
        if self._url:
            self._loop.start(self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        """What is under way is told once more at the next start, under the same id."""
        self._stop.set()
        if self._url:
            self._loop.join(GOODBYE_S)


def body_of(word: OrderWord) -> dict[str, Any]:
    """What is posted: the step, and the order as it stands, in the words of its CSV table."""
    order, wish, work = word.order, word.order.wish, word.order.work
    instants = {
        name: getattr(order, name) for name in ("created_at", "due_at", "accepted_at", "arrived_at", "ended_at")
    }
    return {
        "id": str(word.id),
        "at": word.step.at.isoformat(),
        "what": word.step.what,
        "by": word.step.by,
        "note": word.step.note,
        "order": {
            "id": order.id,
            "state": order.state.value,
            "severity": wish.severity.word,
            "building": wish.place.building,
            "space": wish.place.space,
            "meter": wish.place.meter,
            "skill": wish.skill.value,
            "title": wish.title,
            "note": wish.note,
            "alert": str(wish.alert) if wish.alert else None,
            "assignee": order.assignee,
            **{name: at.isoformat() if at else None for name, at in instants.items()},
            "parts": work.parts,
            "cost": work.cost,
            "rating": order.rating,
        },
    }

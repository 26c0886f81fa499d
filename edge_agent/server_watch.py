"""For how long the server has not been heard: whoever is on the spot is told, for nobody else can be.

The server is heard by what it acknowledges or asks for; a broker that lets us in is no server. A restart of the agent
does not begin the count anew: a note in the data folder says when the server was heard last, by the time since boot.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOTE = "server_heard.json"
NOTE_EVERY_S = 60.0

LONGEST_UNHEARD_S = 1800.0
FIRST_LOOK_S = 60.0
"""Whoever has just begun to listen says nothing yet."""

ASKS_OF_A_LIMIT = 6
"""Where nothing is to be acknowledged the server is greeted so often within the limit: it answers if it is there."""

log = structlog.get_logger()


class ServerWatch:
    """Told by the publisher's thread what was ``heard``; ``look`` is called now and then by whoever waits."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        limit_s: float = LONGEST_UNHEARD_S,
        note: Path | None = None,
        boot: str = "",
    ) -> None:
        """``monotonic`` counts from the boot of the machine, of which ``boot`` is the name."""
        self._monotonic, self._limit_s, self._note, self._boot = monotonic, limit_s, note, boot
        self._begun_s = self._noted_s = monotonic()
        self._heard_s = self._last_noted()
        self._asked_s = self._begun_s
        self._is_said = False

    def heard(self) -> None:
        """The server has said something."""
        self._heard_s = self._monotonic()

    @property
    def unheard_s(self) -> float:
        """For how long it has not."""
        return self._monotonic() - self._heard_s

    @property
    def is_gone(self) -> bool:
        """Whether that is too long, by somebody who has listened for a while."""
        listened_s = self._monotonic() - self._begun_s
        return self.unheard_s >= self._limit_s and listened_s >= min(self._limit_s, FIRST_LOOK_S)

    def wants_a_word(self) -> bool:
        """Whether it is time to greet the server though nothing is open: then it may be well, and only silent."""
        now_s, pause_s = self._monotonic(), self._limit_s / ASKS_OF_A_LIMIT
        if min(now_s - self._heard_s, now_s - self._asked_s) < pause_s:
            return False
        self._asked_s = now_s
        return True

    def look(self) -> None:
        """One line of the log when it is gone, one when it is back; and the note is kept."""
        gone, unheard_s = self.is_gone, round(self.unheard_s)
        if gone and not self._is_said:
            log.warning("server_gone", unheard_s=unheard_s)
        elif self._is_said and not gone:
            log.info("server_back")
        self._is_said = gone
        if self._monotonic() - self._noted_s >= NOTE_EVERY_S:
            self._keep()

    def _keep(self) -> None:
        self._noted_s = self._monotonic()
        if self._note is not None:
            with suppress(OSError):  # a full disk: then a restart begins the count anew
                fresh = self._note.with_suffix(".new")
                fresh.write_text(json.dumps({"boot": self._boot, "heard_s": self._heard_s}), encoding="utf-8")
                fresh.replace(self._note)

    def _last_noted(self) -> float:
        """By the note; of another boot, at the latest when the machine began. Without one, now."""
        if self._note is None or not self._note.exists():
            return self._begun_s
        try:
            said = json.loads(self._note.read_text(encoding="utf-8"))
            heard_s = float(said["heard_s"]) if said["boot"] == self._boot else 0.0
        except (OSError, ValueError, KeyError, TypeError):
            return self._begun_s
        return min(max(heard_s, 0.0), self._begun_s)

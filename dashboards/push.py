"""Brings dashboards to a Grafana that takes no files: all of them or none, and no change where nothing differs.

Everything is looked at before anything is written. What fails on the way is taken back. Grafana accepts any JSON, so
that in the end each dashboard is read back and each query asked through it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dashboards.choices import first_choice, panel_queries
from dashboards.grafana import ALLOWED, URL
from dashboards.kit import written
from dashboards.source import SourceStep
from facility.errors import ConfigError, MeterhouseError, Problem
from wording.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboards.grafana import Grafana
    from facility.catalogue import Catalogue
    from facility.levels import Level
    from stores.readings.influx.address import InfluxAddress

MARK = "Meterhouse"
"""The message of a version that was pushed begins so; any other was saved by a person."""

ROLES = ({"role": "Viewer", "permission": 1}, {"role": "Editor", "permission": 1})
"""Of a new folder: everybody may look, nobody edits what the next push would undo."""

Board = dict[str, Any]


@dataclass
class Pushed:
    """What a push changed, and what it found of the queries."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    queries: int = 0
    empty: int = 0


@dataclass(frozen=True)
class Wish:
    """What a Grafana should have. ``overwrite``: also where somebody edited it by hand."""

    catalogue: Catalogue
    boards: Mapping[str, Board]
    level: Level
    home: str
    address: InfluxAddress | None = None
    overwrite: bool = False

    @property
    def languages(self) -> dict[str, list[Board]]:
        """Dashboards by language."""
        found: dict[str, list[Board]] = {}
        for path, board in self.boards.items():
            found.setdefault(path.partition("/")[0], []).append(board)
        return found


def folder_uid(language: str) -> str:
    """The address of a language's folder."""
    return f"energy-{language}"


def bring(grafana: Grafana, wish: Wish, period_ms: tuple[int, int]) -> Pushed:
    """Make it so, or raise ``ConfigError`` or ``Unavailable``, nothing done. Queries are tried with ``period_ms``."""
    done: list[Callable[[], None]] = []
    try:
        return _brought(grafana, wish, period_ms, done)
    except MeterhouseError as error:
        raise _taken_back(error, done) from None
    except (KeyError, TypeError, AttributeError):  # JSON that is of something else
        other = Problem(URL, f"what answers at {grafana.place} does not answer as a Grafana does", ALLOWED)
        raise _taken_back(ConfigError(other), done) from None


def _brought(grafana: Grafana, wish: Wish, period_ms: tuple[int, int], done: list[Callable[[], None]]) -> Pushed:
    """Look, then write; ``done`` is how each step is undone."""
    grafana.check_version()
    grafana.read("/org", "its organisation")
    source = SourceStep(grafana, wish.level, wish.address)
    steps = _Steps(grafana, wish)
    steps.look()
    if source.change:
        done.append(source.undo)
        source.apply()
        getattr(steps.pushed, source.change).append("data source")
    source.check()
    steps.apply(done)
    steps.check(period_ms)
    return steps.pushed


def _taken_back(error: MeterhouseError, done: list[Callable[[], None]]) -> MeterhouseError:
    """The error, once what was done is undone, last first."""
    left = 0
    for undo in reversed(done):
        try:
            undo()
        except (MeterhouseError, KeyError, TypeError, AttributeError):
            left += 1
    if left:
        return ConfigError(*getattr(error, "problems", [str(error)]), f"{left} changes could not be taken back")
    return error


class _Steps:
    """Folders, dashboards and the home dashboard of a push."""

    def __init__(self, grafana: Grafana, wish: Wish) -> None:
        self._grafana, self._wish = grafana, wish
        self._old: dict[str, Board] = {}
        self._message: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._gone: list[str] = []
        self.pushed = Pushed()

    def look(self) -> None:
        """Read all that is there. Raises ``ConfigError`` for what somebody made or changed by hand."""
        edited: list[str] = []
        for language, boards in self._wish.languages.items():
            edited += self._look_at_folder(language, {board["uid"] for board in boards})
            for board in boards:
                edited += self._look_at(board["uid"], folder_uid(language))
        if edited and not self._wish.overwrite:
            raise ConfigError(*edited, "nothing was pushed; add --overwrite to push over what was edited by hand")

    def _look_at_folder(self, language: str, ours: set[str]) -> list[str]:
        uid, title = folder_uid(language), _folder_title(language)
        folder = self._grafana.read(f"/folders/{uid}", "folders")
        if folder is None:
            return []
        self._folders[uid] = folder["title"]
        edited = (
            [] if folder["title"] == title else [f"the folder '{title}' was renamed to '{folder['title']}' by hand"]
        )
        for found in self._grafana.read(f"/search?folderUIDs={uid}&type=dash-db&limit=5000", "dashboards") or ():
            if found["uid"] not in ours:
                edited += self._look_at(found["uid"], uid, stranger=True)
        return edited

    def _look_at(self, uid: str, folder: str, *, stranger: bool = False) -> list[str]:
        """Whose a dashboard is, by who saved it last."""
        found = self._grafana.read(f"/dashboards/uid/{uid}", "dashboards")
        if found is None:
            return []
        title = found["dashboard"].get("title", uid)
        if found["meta"].get("provisioned"):
            return [f"the dashboard '{title}' comes from a file on Grafana's machine: change it there"]
        if stranger and not self._newest_message(uid).startswith(MARK):
            return [f"the dashboard '{title}' in the folder is not Meterhouse's: move it to another folder"]
        self._old[uid], self._message[uid] = found, self._newest_message(uid)
        if stranger:
            self._gone.append(uid)
        elif not self._message[uid].startswith(MARK):
            return [f"the dashboard '{title}' was edited by hand"]
        elif found["meta"].get("folderUid") != folder:
            return [f"the dashboard '{title}' was moved to another folder by hand"]
        return []

    def _newest_message(self, uid: str) -> str:
        """What was said when it was saved last. Grafana 11.1 lists versions, 12 puts the list into an object."""
        said = self._grafana.read(f"/dashboards/uid/{uid}/versions?limit=1", "versions of dashboards") or []
        versions = said.get("versions", []) if isinstance(said, dict) else said
        return str(versions[0].get("message", "")) if versions else ""

    def apply(self, done: list[Callable[[], None]]) -> None:
        """Write what differs; each step leaves behind how it is undone."""
        for language, boards in self._wish.languages.items():
            self._make_folder(language, done)
            for board in boards:
                self._save(board, folder_uid(language), done)
        for uid in self._gone:
            self._remove(uid, done)
        self._set_home(done)

    def _make_folder(self, language: str, done: list[Callable[[], None]]) -> None:
        uid = folder_uid(language)
        if uid in self._folders:
            self._name_again(uid, _folder_title(language), done)
            return
        done.append(lambda: self._grafana.delete(f"/folders/{uid}", "the folder"))
        self._grafana.write("/folders", {"uid": uid, "title": _folder_title(language)}, "folders")
        self._grafana.write(f"/folders/{uid}/permissions", {"items": list(ROLES)}, "permissions of folders")
        self.pushed.created.append(uid)

    def _name_again(self, uid: str, title: str, done: list[Callable[[], None]]) -> None:
        """A folder that was renamed by hand gets its title back; ``look`` let it pass only where that was asked for."""
        was = self._folders[uid]
        if was == title:
            return
        done.append(lambda: self._name(uid, was))
        self._name(uid, title)
        self.pushed.changed.append(uid)

    def _name(self, uid: str, title: str) -> None:
        self._grafana.write(f"/folders/{uid}", {"title": title, "overwrite": True}, "folders", "PUT")

    def _save(self, board: Board, folder: str, done: list[Callable[[], None]]) -> None:
        uid, message = board["uid"], f"{MARK} {hashlib.sha256(written(board).encode()).hexdigest()[:16]}"
        old = self._old.get(uid)
        if old is not None and self._message[uid] == message and old["meta"].get("folderUid") == folder:
            self.pushed.unchanged += 1
            return
        fresh = {**board, "id": None}
        done.append(lambda: self._put_back(uid, message))  # an answer that is lost may be of a change that is made
        if old is not None:
            fresh["version"] = old["dashboard"].get("version", 0)
        body = {"dashboard": fresh, "folderUid": folder, "message": message, "overwrite": self._wish.overwrite}
        self._grafana.write("/dashboards/db", body, f"the dashboard {uid}")
        (self.pushed.created if old is None else self.pushed.changed).append(uid)

    def _remove(self, uid: str, done: list[Callable[[], None]]) -> None:
        done.append(lambda: self._put_back(uid))
        self._grafana.delete(f"/dashboards/uid/{uid}", f"the dashboard {uid}")
        self.pushed.deleted.append(uid)

    def _put_back(self, uid: str, ours: str = "") -> None:
        """As it was before; not where another's change stands there in place of ``ours``."""
        old = self._old.get(uid)
        if old is not None and ours and self._newest_message(uid) != ours:
            return
        if old is None:
            self._grafana.delete(f"/dashboards/uid/{uid}", f"the dashboard {uid}")
            return
        body = {
            "dashboard": {**old["dashboard"], "id": None},
            "folderUid": old["meta"].get("folderUid", ""),
            "message": self._message[uid],
            "overwrite": True,
        }
        self._grafana.write("/dashboards/db", body, f"the dashboard {uid}")

    def _set_home(self, done: list[Callable[[], None]]) -> None:
        was = (self._grafana.read("/org/preferences", "preferences") or {}).get("homeDashboardUID", "")
        if was == self._wish.home:
            return
        done.append(lambda: self._home(was))
        self._home(self._wish.home)
        self.pushed.changed.append("home dashboard")

    def _home(self, uid: str) -> None:
        self._grafana.write("/org/preferences", {"homeDashboardUID": uid}, "the home dashboard", "PATCH")

    def check(self, period_ms: tuple[int, int]) -> None:
        """Read everything back and ask every query once. Raises ``ConfigError`` with what is wrong."""
        wrong: list[str] = []
        asked: set[str] = set()
        for board in self._wish.boards.values():
            found = self._grafana.read(f"/dashboards/uid/{board['uid']}", "dashboards")
            if found is None or _asked(found["dashboard"]) != _asked(board):
                wrong.append(f"{board['uid']} is not in Grafana as it was pushed")
            wrong += self._failing(board, asked, period_ms)
        if wrong:
            raise ConfigError(*wrong, "nothing was pushed")

    def _failing(self, board: Board, asked: set[str], period_ms: tuple[int, int]) -> list[str]:
        choice = first_choice(board, self._wish.catalogue)
        ready = [(title, one) for title, one in panel_queries(board, choice) if one["query"] not in asked]
        asked |= {one["query"] for _, one in ready}
        letters = {f"Q{k}": (title, one) for k, (title, one) in enumerate(ready)}
        results = (
            self._grafana.queried([{**one, "refId": ref} for ref, (_, one) in letters.items()], period_ms)
            if ready
            else {}
        )
        self.pushed.queries += len(letters)
        self.pushed.empty += sum(not _rows(results.get(ref, {})) for ref in letters)
        return [
            f"{board['uid']}: {title}: {str(results.get(ref, {}).get('error', 'no answer'))[:200]}"
            for ref, (title, _) in letters.items()
            if ref not in results or results[ref].get("error")
        ]


def _folder_title(language: str) -> str:
    return load_texts(language)("board.folder")


def _asked(board: Board) -> list[tuple[Any, ...]]:
    """What must come back as it went: panels, in their order, with what they ask."""
    return [
        (panel["id"], panel["type"], *(one["query"] for one in panel.get("targets", ())))
        for panel in board.get("panels", ())
    ]


def _rows(result: dict[str, Any]) -> bool:
    frames = result.get("frames", ())
    return any(column for frame in frames for column in frame.get("data", {}).get("values", ()))

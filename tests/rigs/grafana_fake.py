"""A fake of Grafana 12.3: it gives the answers that a real one gave, and keeps what it is told."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADMIN, EDITOR, BLIND = "admin-token", "editor-token", "blind-token"
"""May all, may not touch data sources, may not even read."""


class FakeGrafana:
    """Context manager. ``refuse`` are paths that answer 500, ``broken`` words of queries that fail.

    ``odd`` are answers of something else, a proxy: status, text, headers. ``slow`` are done, and told so much later.
    """

    def __init__(self, version: str = "12.3.0", databases: tuple[str, ...] = ("meterhouse",)) -> None:
        self.version, self.databases = version, databases
        self.folders: dict[str, Any] = {}
        self.boards: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.home = ""
        self.refuse: list[str] = []
        self.odd: dict[str, tuple[int, str, dict[str, str]]] = {}
        self.slow: dict[str, float] = {}
        self.routes: dict[str, Any] = {}
        self.broken: list[str] = []
        self.writes: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def kept(self):
        """All that it holds, to be compared."""
        return json.loads(json.dumps([self.folders, self.boards, self.sources, self.home]))

    def edit(self, uid):
        """What a person does who saves a dashboard on its page."""
        board = self.boards[uid]
        board["dashboard"]["title"] = "Mine"
        board["dashboard"]["version"] += 1
        board["messages"].append("")

    def answer(self, verb, path, query, body, token):
        if path == "/api/health":
            return 200, {"database": "ok", "version": self.version}
        if token not in {ADMIN, EDITOR, BLIND}:
            return 401, {"message": "Invalid API key"}
        if any(re.search(one, f"{verb} {path}") for one in self.refuse):
            return 500, {"message": "database is locked"}
        if token == BLIND or (token == EDITOR and path.startswith("/api/datasources") and verb != "GET"):
            return 403, {"message": "You'll need additional permissions to perform this action"}
        if verb != "GET" and path != "/api/ds/query":
            self.writes.append(f"{verb} {path}")
        for pattern, method in {**ROUTES, **self.routes}.items():
            if found := re.fullmatch(pattern, f"{verb} {path}"):
                return method(self, *found.groups(), query=query, body=body)
        return 404, {"message": "Not found"}

    def org(self, **_):
        return 200, {"id": 1, "name": "Main Org."}

    def preferences(self, **_):
        return 200, {"homeDashboardUID": self.home} if self.home else {}

    def set_home(self, body, **_):
        self.home = body["homeDashboardUID"]
        return 200, {"message": "Preferences updated"}

    def folder(self, uid, **_):
        return (200, self.folders[uid]) if uid in self.folders else (404, {"message": "folder not found"})

    def make_folder(self, body, **_):
        if body["uid"] in self.folders:
            return 412, {"message": "the folder has been changed by someone else"}
        self.folders[body["uid"]] = {**body, "permissions": None}
        return 200, body

    def rename_folder(self, uid, body, **_):
        if not body.get("overwrite"):
            return 412, {"message": "the folder has been changed by someone else"}
        self.folders[uid]["title"] = body["title"]
        return 200, self.folders[uid]

    def permit(self, uid, body, **_):
        self.folders[uid]["permissions"] = body["items"]
        return 200, {"message": "Folder permissions updated"}

    def drop_folder(self, uid, **_):
        return (200, {}) if self.folders.pop(uid, None) else (404, {"message": "folder not found"})

    def search(self, query, **_):
        some = query.get("folderUIDs", [""])[0]
        return 200, [{"uid": uid, "tags": []} for uid, one in self.boards.items() if one["folder"] == some]

    def board(self, uid, **_):
        if uid not in self.boards:
            return 404, {"message": "Dashboard not found"}
        one = self.boards[uid]
        meta = {"folderUid": one["folder"], "provisioned": one.get("provisioned", False)}
        return 200, {"dashboard": one["dashboard"], "meta": meta}

    def versions(self, uid, **_):
        messages = self.boards[uid]["messages"]
        return 200, {"continueToken": "", "versions": [{"version": len(messages), "message": messages[-1]}]}

    def save(self, body, **_):
        wanted = body["dashboard"]
        old = self.boards.get(wanted["uid"])
        if wanted.get("id"):
            return 404, {"message": "Dashboard not found"}
        if old and not body["overwrite"] and wanted.get("version") != old["dashboard"]["version"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        version = old["dashboard"]["version"] + 1 if old else 1
        messages = [*(old["messages"] if old else ()), body.get("message", "")]
        self.boards[wanted["uid"]] = {
            "dashboard": {**wanted, "id": 7, "version": version}, "folder": body["folderUid"], "messages": messages
        }  # fmt: skip
        return 200, {"uid": wanted["uid"], "version": version, "status": "success"}

    def drop_board(self, uid, **_):
        return (200, {}) if self.boards.pop(uid, None) else (404, {"message": "Dashboard not found"})

    def source(self, uid, **_):
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        secrets = self.sources[uid].get("secureJsonData", {})
        plain = {key: value for key, value in self.sources[uid].items() if key != "secureJsonData"}
        return 200, {**plain, "secureJsonFields": dict.fromkeys(secrets, True)}

    def make_source(self, body, **_):
        self.sources[body["uid"]] = body
        return 200, {"datasource": body, "message": "Datasource added"}

    def change_source(self, uid, body, **_):
        if self.sources[uid].get("readOnly"):
            return 403, {"message": "Cannot update read-only data source"}
        self.sources[uid] = {**self.sources[uid], **body}
        return 200, {"message": "Datasource updated"}

    def drop_source(self, uid, **_):
        return (200, {}) if self.sources.pop(uid, None) else (404, {"message": "Data source not found"})

    def health(self, uid, **_):
        database = self.sources[uid]["jsonData"]["dbName"]
        if database not in self.databases:
            return 400, {"status": "ERROR", "message": f"error reading InfluxDB: database not found: {database}"}
        return 200, {"status": "OK", "message": "datasource is working. 12 measurements found"}

    def run(self, body, **_):
        results = {}
        for one in body["queries"]:
            if any(word in one["query"] for word in self.broken):
                results[one["refId"]] = {"error": "error parsing query: found FRM", "status": 400, "frames": []}
            else:
                frame = {"schema": {}, "data": {"values": [[1], [2.0]] if "building_1d" in one["query"] else []}}
                results[one["refId"]] = {"status": 200, "frames": [frame]}
        return (400 if self.broken else 200), {"results": results}


ROUTES = {
    r"GET /api/org": FakeGrafana.org,
    r"GET /api/org/preferences": FakeGrafana.preferences,
    r"PATCH /api/org/preferences": FakeGrafana.set_home,
    r"GET /api/folders/([\w-]+)": FakeGrafana.folder,
    r"POST /api/folders": FakeGrafana.make_folder,
    r"PUT /api/folders/([\w-]+)": FakeGrafana.rename_folder,
    r"POST /api/folders/([\w-]+)/permissions": FakeGrafana.permit,
    r"DELETE /api/folders/([\w-]+)": FakeGrafana.drop_folder,
    r"GET /api/search": FakeGrafana.search,
    r"GET /api/dashboards/uid/([\w-]+)": FakeGrafana.board,
    r"GET /api/dashboards/uid/([\w-]+)/versions": FakeGrafana.versions,
    r"POST /api/dashboards/db": FakeGrafana.save,
    r"DELETE /api/dashboards/uid/([\w-]+)": FakeGrafana.drop_board,
    r"GET /api/datasources/uid/([\w-]+)": FakeGrafana.source,
    r"POST /api/datasources": FakeGrafana.make_source,
    r"PUT /api/datasources/uid/([\w-]+)": FakeGrafana.change_source,
    r"DELETE /api/datasources/uid/([\w-]+)": FakeGrafana.drop_source,
    r"GET /api/datasources/uid/([\w-]+)/health": FakeGrafana.health,
    r"POST /api/ds/query": FakeGrafana.run,
}


def _first(some, asked):
    """What is said of the first pattern that an asked path has."""
    return next((said for pattern, said in some.items() if re.search(pattern, asked)), None)


def _handler(fake: FakeGrafana):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self):
            at = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null") if length else None
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            odd = _first(fake.odd, f"{self.command} {at.path}")
            if odd:
                status, said, headers = odd
                text = said.encode()
            else:
                status, said = fake.answer(self.command, at.path, parse_qs(at.query), body, token)
                text, headers = json.dumps(said).encode(), {"Content-Type": "application/json"}
            time.sleep(_first(fake.slow, f"{self.command} {at.path}") or 0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            with contextlib.suppress(OSError):  # who asked may have given up
                self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        def log_message(self, *_):
            """Nothing."""

    return Handler

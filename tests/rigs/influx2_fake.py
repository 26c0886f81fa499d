"""A FAKE of InfluxDB 2.x: its interface and its answers as measured on 2.7.12, with a real InfluxDB 1.8 behind it.

It knows what the store uses and no more: organisations, buckets, mappings, writes, deletes and InfluxQL. Whoever has a
real server runs the same suite on it by INFLUX_URL and INFLUX_TOKEN.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

import urllib3

from meterhouse.servers.influxd import USER
from rigs.patience import PATIENCE_S

TOKEN, ORG, ORG_ID = "a-token", "town hall", "0123456789abcdef"
SIGN_INS = {f"Token {TOKEN}", urllib3.make_headers(basic_auth=f"x:{TOKEN}")["authorization"]}
FIELD = rb'(?:[^ ,=\\]|\\.)+=(?:"(?:[^"\\]|\\.)*"|[-+.0-9eE]+[iu]?|[tTfF][a-zA-Z]*)'
LINE = re.compile(rb"(?:[^ \\\n]|\\.)+ %b(?:,%b)*(?: -?\d+)?(?:\n+|\Z)" % (FIELD, FIELD))
TERM = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Fake2:
    """Context manager. ``url_of(database)``; ``queries`` and ``deletes`` say what it was asked."""

    def __init__(self, behind) -> None:
        self.behind = f"http://127.0.0.1:{behind.server.port}"
        self.http = urllib3.PoolManager(retries=False)
        self.sign_in = urllib3.make_headers(basic_auth=f"{USER}:{behind.server.password}")
        self.buckets: dict[str, dict] = {}
        self.mapped: list[dict] = []
        fake = self

        class Answers(_Answers):
            server_of = fake

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def url_of(self, database: str, token: str = TOKEN, org: str = ORG) -> str:
        port = self.server.server_address[1]
        return f"influx+token://{quote(token)}@127.0.0.1:{port}/{quote(org)}/{database}"

    def ask(self, statement: str, database: str = "", accept: str = "application/json", epoch: str = "ms"):
        fields = {"q": statement, "epoch": epoch, "db": database}
        headers = {**self.sign_in, "Accept": accept}
        return self.http.request("POST", f"{self.behind}/query", fields=fields, headers=headers, encode_multipart=False)

    def write(self, bucket: str, precision: str, lines: bytes):
        url = f"{self.behind}/api/v2/write?bucket={quote(bucket, safe='')}&precision={precision}"
        return self.http.request("POST", url, body=lines, headers=self.sign_in)

    def create(self, name: str, rules: list[dict]) -> None:
        self.ask(f'CREATE DATABASE "{name.partition("/")[0]}"')
        self.buckets[name] = {"id": f"{len(self.buckets) + 1:016x}"}
        self.keep(name, rules, "CREATE")

    def change(self, name: str, rules: list[dict]) -> None:
        self.keep(name, rules, "ALTER")

    def keep(self, name: str, rules: list[dict], verb: str) -> None:
        database, _, policy = name.partition("/")
        duration = f"{rules[0]['everySeconds']}s" if rules[0]["everySeconds"] else "INF"
        self.ask(f'{verb} RETENTION POLICY "{policy}" ON "{database}" DURATION {duration} REPLICATION 1')
        self.buckets[name]["rules"] = rules

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE_S)
        self.http.clear()


class _Answers(BaseHTTPRequestHandler):
    server_of: Fake2
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else each answer waits 40 ms for an acknowledgement
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_any(self) -> None:
        self.asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if urlsplit(self.path).path in {"/ping", "/health"}:
            self.say(204)
            return
        if self.headers.get("Authorization") not in SIGN_INS:
            self.refuse(401, "unauthorized", "unauthorized access")
            return
        path = urlsplit(self.path).path
        what = path.removeprefix("/api/v2").strip("/").partition("/")[0]
        getattr(self, f"{self.command.lower()}_{what}")()

    do_GET = do_POST = do_PATCH = handle_any

    def say(self, status: int, body: bytes = b"", kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Influxdb-Version", "v2.7.12-fake")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def tell(self, status: int, tree: object) -> None:
        self.say(status, json.dumps(tree).encode())

    def refuse(self, status: int, code: str, message: str) -> None:
        self.tell(status, {"code": code, "message": message})

    def one(self, name: str) -> str:
        return self.asked.get(name, [""])[0]

    def is_ours(self) -> bool:
        org = self.one("org") or self.one("orgID")
        if not org:
            self.refuse(400, "invalid", "please provide either orgID or org")
        elif org not in {ORG, ORG_ID}:
            self.refuse(404, "not found", f'organization name "{org}" not found')
        return org in {ORG, ORG_ID}

    def post_write(self) -> None:
        if not self.is_ours():
            return
        bucket = self.one("bucket")
        if bucket not in self.server_of.buckets:
            self.refuse(404, "not found", f'bucket "{bucket}" not found')
        elif not _are_lines(self.body):
            self.refuse(400, "invalid", "unable to parse: missing fields")
        else:
            answer = self.server_of.write(bucket, self.one("precision"), self.body)
            if answer.status == 400:
                words = json.loads(answer.data)["error"]
                self.refuse(422, "unprocessable entity", f"failure writing points to database: {words}")
            else:
                self.say(answer.status, answer.data)

    def post_query(self) -> None:
        asked = parse_qs(self.body.decode())
        statement = asked["q"][0]
        if statement.split()[0] not in {"SELECT", "SHOW"}:
            verb = " ".join(statement.split()[:2])
            self.tell(200, {"results": [{"statement_id": 0, "error": f"not implemented: {verb}"}]})
            return
        if statement.startswith("SHOW RETENTION POLICIES"):
            self.show_policies(statement.split()[-1].strip('"'))
            return
        database, epoch = asked["db"][0], asked.get("epoch", ["ns"])[0]
        answer = self.server_of.ask(statement, database, self.headers["Accept"], epoch)
        if answer.status == 400:  # a query that cannot be parsed is answered with JSON, whatever was asked for
            why = json.loads(self.server_of.ask(statement, database).data)["error"]
            self.refuse(400, "invalid", why.replace("error parsing query", "failed to parse query"))
            return
        self.say(answer.status, answer.data, self.headers["Accept"])

    def show_policies(self, database: str) -> None:
        """Each is said to be kept for ever: only the bucket knows."""
        names = [name.partition("/")[2] for name in self.server_of.buckets if name.startswith(f"{database}/")]
        rows = [[name, "0s", "168h0m0s", 1, name == "raw"] for name in names]
        columns = ["name", "duration", "shardGroupDuration", "replicaN", "default"]
        self.tell(200, {"results": [{"statement_id": 0, "series": [{"columns": columns, "values": rows}]}]})

    def post_delete(self) -> None:
        if not self.is_ours():
            return
        asked = json.loads(self.body)
        terms = dict(TERM.findall(asked["predicate"]))
        measurement = terms.pop("_measurement")
        if "" in terms.values():  # a series without the tag never matches: nothing is deleted, and 204
            self.say(204)
            return
        where = [f"\"{tag}\" = '{value}'" for tag, value in terms.items()]
        where += [f"time >= '{asked['start']}'", f"time <= '{asked['stop']}'"]
        database = self.one("bucket").partition("/")[0]
        self.server_of.ask(f'DELETE FROM "{measurement}" WHERE {" AND ".join(where)}', database)
        self.say(204)

    def get_orgs(self) -> None:
        if self.is_ours():
            self.tell(200, {"orgs": [{"id": ORG_ID, "name": ORG}]})

    def get_buckets(self) -> None:
        if self.one("name") in self.server_of.buckets:
            self.tell(200, {"buckets": [self.bucket(self.one("name"))]})
        else:
            self.refuse(404, "not found", f'bucket "{self.one("name")}" not found')

    def post_buckets(self) -> None:
        asked = json.loads(self.body)
        self.server_of.create(asked["name"], asked["retentionRules"])
        self.tell(201, self.bucket(asked["name"]))

    def patch_buckets(self) -> None:
        asked = json.loads(self.body)
        self.server_of.change(asked["name"], asked["retentionRules"])
        self.tell(200, self.bucket(asked["name"]))

    def bucket(self, name: str) -> dict:
        bucket = self.server_of.buckets[name]
        return {"id": bucket["id"], "orgID": ORG_ID, "name": name, "retentionRules": bucket["rules"]}

    def get_dbrps(self) -> None:
        """The explicit mappings, and for each bucket without one that which its name makes."""
        found = [one for one in self.server_of.mapped if one["database"] == self.one("db")]
        known = {one["retention_policy"] for one in found}
        for name, bucket in self.server_of.buckets.items():
            database, _, policy = name.partition("/")
            if database == self.one("db") and policy not in known:
                found.append(mapping(bucket["id"], bucket["id"], database, policy, is_virtual=True))
        self.tell(200, {"content": found})

    def post_dbrps(self) -> None:
        asked = json.loads(self.body)
        known = [(one["database"], one["retention_policy"]) for one in self.server_of.mapped]
        if (asked["database"], asked["retention_policy"]) in known:
            self.refuse(409, "conflict", "DBRP already exists")
            return
        made = mapping(
            f"{len(known) + 1:016x}", asked["bucketID"], asked["database"], asked["retention_policy"],
            is_default=asked.get("default", False),
        )  # fmt: skip
        self.server_of.mapped.append(made)
        self.tell(201, made)


def mapping(
    number: str, bucket: str, database: str, policy: str, *, is_default: bool = False, is_virtual: bool = False
) -> dict:
    return {
        "id": number, "orgID": ORG_ID, "bucketID": bucket, "database": database, "retention_policy": policy,
        "default": is_default, "virtual": is_virtual,
    }  # fmt: skip


def _are_lines(body):
    """Whether a body is lines and nothing else; a line may break inside a text."""
    end = 0
    while line := LINE.match(body, end):
        end = line.end()
    return end == len(body)

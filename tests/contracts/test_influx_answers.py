"""How InfluxDB answers, as it was measured: the store relies on it, and what claims to be one is held to it."""

import contextlib
import gzip
import json
import os
import time
from functools import cache
from urllib.parse import quote, urlencode

import pytest
import urllib3
from rigs.influx2_fake import Fake2
from rigs.influx2_server import Influx2Server, built_influxd2
from rigs.influx_server import InfluxServer, make_ready, named_influx

from facility.errors import Rejected, StoreUnavailable
from stores.readings.influx.address import influx_address
from stores.readings.influx.layout import SHARD_DAYS
from stores.readings.influx.wire import connect

KINDS = [
    "influxdb 1.8",
    "fake of influxdb 2",
    *(["influxdb 2.7"] if built_influxd2() else []),
    *(["INFLUX_URL"] if "INFLUX_URL" in os.environ else []),
]


class Server:
    """One database of a server, spoken to directly."""

    def __init__(self, url):
        self.url, self.address = url, influx_address(url)
        self.http = urllib3.PoolManager(retries=False)

    def send(self, path, *, method="POST", sign_in=None, basic=None, accept="application/json", **sent):
        token = {"Authorization": f"Token {self.address.token if sign_in is None else sign_in}"}
        headers = (urllib3.make_headers(basic_auth=basic) if basic else token) | {"Accept": accept}
        return self.http.request(method, self.address.host + path, headers=headers | sent.pop("also", {}), **sent)

    def find(self, what, **wanted):
        return self.send(f"/api/v2/{what}?{urlencode(wanted | {'org': self.address.org})}", method="GET")

    def write(self, lines, *, bucket=None, org=None, **how):
        bucket = f"{self.address.database}/raw" if bucket is None else bucket
        org = self.address.org if org is None else org
        path = f"/api/v2/write?org={quote(org)}&bucket={quote(bucket, safe='')}&precision=ms"
        return self.send(path, body=lines, **how)

    def ask(self, statement, **how):
        fields = {"q": statement, "db": self.address.database, "epoch": "ms"}
        return self.send("/query", fields=fields, encode_multipart=False, **how)

    def times_in(self, measurement):
        results = json.loads(self.ask("SELECT value FROM raw." + measurement).data)["results"]  # noqa: S608 - our own words
        return [row[0] for series in results[0].get("series", []) for row in series["values"]]


@pytest.fixture(scope="module")
def servers():
    """The server of a kind, started when it is first asked for."""
    with contextlib.ExitStack() as stack:

        @cache
        def running(kind):
            if kind == "INFLUX_URL":
                return Server(named_influx(stack, f"meterhouse_test_{time.time_ns()}"))
            if kind == "fake of influxdb 2":
                behind = Fake2(stack.enter_context(InfluxServer()))
            else:
                behind = Influx2Server() if kind == "influxdb 2.7" else InfluxServer()
            url = stack.enter_context(behind).url_of("answers")
            make_ready(url, "s")
            return Server(url)

        yield running


def speaks_v2(kind):
    return " 2" in kind or (kind == "INFLUX_URL" and "+token" in os.environ[kind])


@pytest.fixture(params=KINDS)
def server(request, servers):
    return servers(request.param)


@pytest.fixture(params=[kind for kind in KINDS if not speaks_v2(kind)])
def old(request, servers):
    return servers(request.param)


@pytest.fixture(params=[kind for kind in KINDS if speaks_v2(kind)])
def new(request, servers):
    return servers(request.param)


@pytest.fixture
def wire(server):
    wire = connect(server.address)
    yield wire
    wire.client.close()


def test_where_lines_go(server):
    line, database = b"places value=1 10", server.address.database
    assert server.write(line).status == 204
    missing = 404 if server.address.speaks_v2 else 204
    assert [server.write(line, bucket=name).status for name in (database, f"{database}/")] == [missing, missing]
    assert server.write(line, bucket="nowhere").status == 404
    unknown = server.write(line, bucket=f"{database}/other").status
    assert unknown == (404 if server.address.speaks_v2 else 500)


def test_an_organisation_is_asked_for_by_2_alone(server):
    answers = [server.write(b"orgs value=1 10", org=org).status for org in ("-", "")]
    assert answers == ([404, 400] if server.address.speaks_v2 else [204, 204])


def test_the_id_of_an_organisation_will_do(new):
    org = json.loads(new.find("orgs").data)["orgs"][0]["id"]
    assert new.write(b"orgs value=1 10", org=org).status == 204


def test_who_is_not_known_is_refused(server):
    for token in ("", "nobody:nothing"):
        assert server.write(b"who value=1 10", sign_in=token).status == 401
        assert server.ask("SELECT value FROM raw.who", sign_in=token).status == 401
    assert server.times_in("who") == []


def test_a_password_with_a_space_works_for_everybody_but_a_token(old):
    assert b"error" not in old.ask("CREATE USER spaced WITH PASSWORD 'a b' WITH ALL PRIVILEGES").data
    assert old.write(b"spaces value=1 10", sign_in="spaced:a b").status == 401
    assert old.write(b"spaces value=1 10", basic="spaced:a b").status == 204


def test_a_token_may_come_as_a_password(new):
    basic = f"x:{new.address.token}"
    assert json.loads(new.ask("SHOW MEASUREMENTS", basic=basic).data)["results"]


def test_a_stranger_may_ask_whether_somebody_is_there(server):
    for path in ("/ping", "/health"):
        assert server.send(path, method="GET", sign_in="nobody").status in {200, 204}


def test_a_reader_may_not_write_and_is_told_so(old):
    old.ask("CREATE USER reader WITH PASSWORD 'r'")
    old.ask(f'GRANT READ ON "{old.address.database}" TO reader')
    assert old.write(b"readers value=1 10", sign_in="reader:r").status == 403
    place = old.url.partition("@")[2]
    wire = connect(influx_address(f"influx://reader:r@{place}"))
    with pytest.raises(StoreUnavailable, match=r"403.*grant it all on the database"):
        wire.write("raw", b"readers value=1 10")
    wire.client.close()


def test_a_database_is_created_as_often_as_one_likes_or_not_at_all(server):
    for _ in range(2):
        answer = server.ask(f'CREATE DATABASE "{server.address.database}"')
        assert answer.status == 200
        assert (b"not implemented" in answer.data) is server.address.speaks_v2


def test_buckets_and_deletion_are_of_2_alone(old):
    for path in ("/api/v2/buckets", "/api/v2/delete?bucket=answers"):
        assert old.send(path, body=b"{}").status == 404


def test_flux_is_off(old):
    asked = {"Content-Type": "application/vnd.flux"}
    assert old.send("/api/v2/query", body=b'from(bucket: "answers/raw") |> range(start: -1m)', also=asked).status == 403


def test_a_bucket_that_is_not_there_is_404_and_no_empty_list(new):
    assert new.find("buckets", name="nowhere").status == 404
    name = f"{new.address.database}/raw"
    assert [bucket["name"] for bucket in json.loads(new.find("buckets", name=name).data)["buckets"]] == [name]


def test_for_how_long_is_kept_a_bucket_knows_and_a_policy_does_not(new):
    (log,) = json.loads(new.find("buckets", name=f"{new.address.database}/log").data)["buckets"]
    assert [rule["everySeconds"] for rule in log["retentionRules"]] == [7 * 86_400]
    (policies,) = json.loads(new.ask(f"SHOW RETENTION POLICIES ON {new.address.database}").data)["results"][0]["series"]
    assert {row[0]: row[1] for row in policies["values"]} == dict.fromkeys(SHARD_DAYS, "0s")


def test_of_1_no_more_than_25_megabytes_are_taken_on_the_wire(old):
    lines = b"\n".join(b'wide text="%064d" %d' % (i, i) for i in range(350_000))
    assert len(lines) > 25_000_000
    assert old.write(lines).status == 413
    answer = old.write(gzip.compress(lines, 1), also={"Content-Encoding": "gzip"})
    assert answer.status == 204, answer.data


def test_an_answer_has_tags_and_rows_without_a_space(server):
    server.write(b"tables,place=a\\ b value=1.5 10\ntables,place=c value=2 20")
    answer = server.ask("SELECT value FROM raw.tables GROUP BY place").data
    series = json.loads(answer)["results"][0]["series"]
    assert [(one["tags"], one["columns"], one["values"]) for one in series] == [
        ({"place": "a b"}, ["time", "value"], [[10, 1.5]]),
        ({"place": "c"}, ["time", "value"], [[20, 2]]),
    ]
    server.write(b"tables,place=c value=3 30")
    assert b"[[20,2],[30,3]]" in server.ask("SELECT value FROM raw.tables WHERE place = 'c'").data


def test_an_error_in_a_statement_comes_with_status_200(server, wire):
    statement = "SELECT value FROM nowhere.raw.reading"
    answer = server.ask(statement)
    assert answer.status == 200
    assert b"not found" in answer.data
    with pytest.raises(StoreUnavailable, match="not found"):
        wire.ask(statement)


def test_a_statement_that_is_none_is_refused(server, wire):
    assert server.ask("SELECT FROM WHERE").status == 400
    with pytest.raises(StoreUnavailable, match="400"):
        wire.ask("SELECT FROM WHERE")


def test_of_lines_with_another_type_the_good_ones_are_stored(server, wire):
    server.write(b"types value=1.0 10")
    lines = b"types value=2.0 20\ntypes value=3i 30\ntypes value=4.0 40"
    answer = server.write(lines)
    assert answer.status == (422 if server.address.speaks_v2 else 400)
    assert b"partial write" in answer.data
    assert server.times_in("types") == [10, 20, 40]
    with pytest.raises(Rejected, match="field_type_conflict"):
        wire.write("raw", lines)


def test_of_lines_with_a_wrong_one_1_stores_the_good_ones_and_2_none(server, wire):
    lines = b"signs value=1 10\nsigns value= 20\nsigns value=3 30"
    answer = server.write(lines)
    assert answer.status == 400
    assert b"unable to parse" in answer.data
    assert server.times_in("signs") == ([] if server.address.speaks_v2 else [10, 30])
    with pytest.raises(Rejected, match="store_refused"):
        wire.write("raw", lines)


def test_of_a_long_refusal_only_the_beginning_is_kept(wire):
    with pytest.raises(Rejected) as refusal:
        wire.write("raw", b"\n".join(b"no such line %d" % i for i in range(5_000)))
    assert len(str(refusal.value)) < 400

"""How real InfluxDBs answer, generation by generation: what the store relies on, and what the fake of 2.x must copy."""

import base64
import contextlib
import gzip
import json
import time
from urllib.parse import urlencode

import pytest
import urllib3
from influx2_fake import ORG, TOKEN, Fake2
from influx2_server import Influx2Server, built_influxd2
from influx_server import InfluxServer, make_ready

from meterhouse.influxd import USER
from stores.readings.influx_layout import SHARD_DAYS

NOW_S = int(time.time())


class Asked:
    """A server and how to ask it, with ``token`` unless the request brings a sign-in of its own."""

    def __init__(self, port, token, url):
        self.root, self.token, self.http = f"http://127.0.0.1:{port}", token, urllib3.PoolManager(retries=False)
        make_ready(url, "town")

    def ask(self, method, path, body=None, headers=None, **query):
        sign_in = {} if headers and "Authorization" in headers else {"Authorization": f"Token {self.token}"}
        address = f"{self.root}{path}?{urlencode(query)}"
        answer = self.http.request(method, address, body=body, headers={**sign_in, **(headers or {})})
        return answer.status, answer.data.decode()

    def write(self, lines, bucket, org, **more):
        return self.ask("POST", "/api/v2/write", lines.encode(), bucket=bucket, org=org, precision="s", **more)

    def select(self, statement, accept="application/json", db="town"):
        body = urlencode({"q": statement, "db": db, "epoch": "ms"}).encode()
        return self.ask("POST", "/query", body, {"Accept": accept, "Content-Type": "application/x-www-form-urlencoded"})

    def count(self, name):
        counted = f"SELECT count(value) FROM raw.{name}"  # noqa: S608 - a name of this file
        return self.select(counted, "application/csv")[1]


@pytest.fixture(scope="module")
def old():
    with InfluxServer() as server:
        asked = Asked(server.server.port, f"{USER}:{server.server.password}", server.url_of("town"))
        asked.server = server
        yield asked


@pytest.fixture(scope="module", params=["fake", *(["real"] if built_influxd2() else [])])
def new(request):
    with contextlib.ExitStack() as stack:
        if request.param == "real":
            server = stack.enter_context(Influx2Server())
            yield Asked(server.port, TOKEN, server.url_of("town"))
        else:
            fake = stack.enter_context(Fake2(stack.enter_context(InfluxServer())))
            yield Asked(fake.server.server_address[1], TOKEN, fake.url_of("town"))


def batch_with(bad, name):
    """1,000 lines of which one is bad."""
    lines = [f"{name},meter=m value={i} {NOW_S - i}" for i in range(1_000)]
    lines[500] = bad
    return "\n".join(lines)


# 1.8


@pytest.mark.parametrize("bucket", ["town/raw", "town", "town/"])
def test_old_takes_a_bucket_as_database_and_policy(old, bucket):
    assert old.write(f"a value=1 {NOW_S}", bucket, "-")[0] == 204


def test_old_misses_a_database_and_breaks_on_a_policy(old):
    assert old.write(f"a value=1 {NOW_S}", "nowhere/raw", "-")[0] == 404
    assert old.write(f"a value=1 {NOW_S}", "town/nothing", "-")[0] == 500


def test_old_knows_no_user_by_token_whose_password_has_a_space(old):
    made = "CREATE USER spaced WITH PASSWORD 'a b' WITH ALL PRIVILEGES"
    assert old.select(made)[0] == 200
    assert old.ask("POST", "/query", headers={"Authorization": "Token spaced:a b"}, q="SHOW DATABASES")[0] == 401
    basic = urllib3.make_headers(basic_auth="spaced:a b")
    basic = {"Authorization": basic["authorization"]}
    assert old.ask("POST", "/query", headers=basic, q="SHOW DATABASES")[0] == 200


@pytest.mark.parametrize("password", ["a:b", 'a"b', "ü-ß"])
def test_old_knows_a_user_by_token_with_other_signs(old, password):
    old.select("DROP USER odd")
    assert old.select(f"CREATE USER odd WITH PASSWORD '{password}' WITH ALL PRIVILEGES")[0] == 200
    sign_in = {"Authorization": f"Token odd:{password}".encode().decode("latin-1")}
    assert old.ask("POST", "/query", headers=sign_in, q="SHOW DATABASES")[0] == 200


def test_old_creates_a_database_as_often_as_asked(old):
    for _ in range(2):
        status, said = old.select("CREATE DATABASE again")
        assert (status, "error" in said) == (200, False)


def test_old_stores_the_good_lines_beside_a_conflict_and_beside_a_syntax_error(old):
    conflict = f"conflict,meter=m value=1i {NOW_S}"
    assert old.write(f"conflict,meter=m value=1 {NOW_S}", "town/raw", "-")[0] == 204
    status, said = old.write(batch_with(conflict, "conflict"), "town/raw", "-")
    assert (status, "partial write" in said, "dropped=1" in said) == (400, True, True)
    assert old.count("conflict").endswith(",999\n")
    status, said = old.write(batch_with("torn,meter=m value= 1", "torn"), "town/raw", "-")
    assert (status, "unable to parse" in said) == (400, True)
    assert old.count("torn").endswith(",999\n")


def test_old_answers_a_wholly_unparsable_batch_at_length(old):
    status, said = old.write("\n".join(["torn,meter=m value= 1"] * 5_000), "town/raw", "-")
    assert status == 400
    assert len(said) > 100_000


def test_old_takes_25_megabytes_on_the_wire(old):
    body = "\n".join(f"wide,meter=m value={i} {NOW_S - i}" for i in range(900_000))
    assert len(body) > 25_000_000
    assert old.write(body, "town/raw", "-")[0] == 413
    packed = {"Content-Encoding": "gzip"}
    address = {"bucket": "town/raw", "org": "-", "precision": "s"}
    assert old.ask("POST", "/api/v2/write", gzip.compress(body.encode(), 1), packed, **address)[0] == 204


def test_old_refuses_a_reader_and_a_stranger(old):
    old.select("CREATE USER reader WITH PASSWORD 'r'")
    old.select("GRANT READ ON town TO reader")
    where = {"bucket": "town/raw", "org": "-", "precision": "s"}
    for sign_in, status in (("reader:r", 403), ("reader:x", 401)):
        told = old.ask("POST", "/api/v2/write", b"a value=1 1", {"Authorization": f"Token {sign_in}"}, **where)
        assert told[0] == status
    for path in ("/ping", "/health"):
        assert old.ask("GET", path, headers={"Authorization": "Token no:body"})[0] in {200, 204}


def test_old_knows_no_buckets_and_no_flux(old):
    assert old.ask("GET", "/api/v2/buckets")[0] == 404
    flux = {"Content-Type": "application/vnd.flux", "Accept": "application/csv"}
    assert old.ask("POST", "/api/v2/query", b'from(bucket: "town/raw") |> range(start: -1m)', flux)[0] == 403


# 2.x: the fake, and the real one where it was built


def test_new_takes_a_bucket_by_its_name_only(new):
    assert new.write(f"a value=1 {NOW_S}", "town/raw", ORG)[0] == 204
    for bucket in ("town", "town/raw/more", "nowhere"):
        status, said = new.write(f"a value=1 {NOW_S}", bucket, ORG)
        assert (status, "not found" in said) == (404, True)


def test_new_needs_its_organisation(new):
    assert [new.write(f"a value=1 {NOW_S}", "town/raw", org)[0] for org in ("-", "")] == [404, 400]


@pytest.mark.parametrize("sign_in", ["", "Token ", "Token user:password", "Token not-the-token"])
def test_new_knows_nobody_but_by_token(new, sign_in):
    status, said = new.ask("GET", "/api/v2/buckets", headers={"Authorization": sign_in})
    assert (status, "unauthorized" in said) == (401, True)


def test_new_takes_a_token_as_the_password_of_basic(new):
    basic = {"Authorization": "Basic " + base64.b64encode(f"x:{TOKEN}".encode()).decode()}
    body = urlencode({"q": "SHOW MEASUREMENTS", "db": "town"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    assert new.ask("POST", "/query", body, {**form, **basic})[0] == 200


def test_new_says_200_to_what_it_does_not_do(new):
    status, said = new.select("CREATE DATABASE another")
    assert (status, "not implemented" in said) == (200, True)


def test_new_answers_an_error_in_a_statement_as_an_empty_csv(new):
    missing = "SELECT value FROM raw.reading"
    assert new.select(missing, "application/csv", db="nowhere") == (200, "")
    status, said = new.select(missing, db="nowhere")
    assert (status, "database not found: nowhere" in said) == (200, True)


def test_new_tells_a_parse_error_as_json(new):
    status, said = new.select("SELECT FROM", "application/csv")
    assert (status, said.startswith("{"), "failed to parse query" in said) == (400, True, True)


def test_new_writes_csv_as_old_does(new):
    assert new.write(f"columns,meter=m\\ 1 value=1.5 {NOW_S}", "town/raw", ORG)[0] == 204
    _, said = new.select("SELECT value FROM raw.columns GROUP BY *", "application/csv")
    assert said == f"name,tags,time,value\ncolumns,meter=m\\ 1,{NOW_S * 1000},1.5\n"


def test_new_stores_the_good_lines_beside_a_conflict_and_none_beside_a_syntax_error(new):
    assert new.write(f"conflict,meter=m value=1 {NOW_S}", "town/raw", ORG)[0] == 204
    status, said = new.write(batch_with(f"conflict,meter=m value=1i {NOW_S}", "conflict"), "town/raw", ORG)
    assert (status, "field type conflict" in said) == (422, True)
    assert new.count("conflict").endswith(",999\n")
    status, said = new.write(batch_with("torn,meter=m value= 1", "torn"), "town/raw", ORG)
    assert (status, "unable to parse" in said) == (400, True)
    assert new.count("torn") == ""


def test_new_has_no_bucket_of_that_name_with_404(new):
    assert new.ask("GET", "/api/v2/buckets", name="nowhere", org=ORG)[0] == 404
    status, said = new.ask("GET", "/api/v2/buckets", name="town/raw", org=ORG)
    assert (status, '"town/raw"' in said) == (200, True)


def test_new_maps_a_bucket_called_database_and_policy_by_itself(new):
    status, said = new.ask("GET", "/api/v2/dbrps", org=ORG, db="town")
    assert status == 200
    assert all(f'"{policy}"' in said for policy in ("raw", "hourly", "daily", "log"))


def test_new_tells_for_how_long_it_keeps_of_a_bucket_and_never_of_a_policy(new):
    _, said = new.ask("GET", "/api/v2/buckets", name="town/log", org=ORG)
    assert [rule["everySeconds"] for rule in json.loads(said)["buckets"][0]["retentionRules"]] == [7 * 86_400]
    _, said = new.select("SHOW RETENTION POLICIES ON town")
    (series,) = json.loads(said)["results"][0]["series"]
    assert {row[0]: row[1] for row in series["values"] if row[0] != "autogen"} == dict.fromkeys(SHARD_DAYS, "0s")

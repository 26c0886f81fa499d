"""What crosses a slow link is compressed, both ways and on either generation; what is too large is still halved."""

import re
import time
from contextlib import contextmanager

import pytest
from rigs.influx2_server import Influx2Server, built_influxd2
from rigs.influx_server import InfluxServer, make_ready
from rigs.proxy import Proxy

from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect

N = 5_000
LINES = b"\n".join(b"reading,meter=m%d,quantity=power,channel=total value=%d.5 %d" % (i % 9, i, i) for i in range(N))
READ = 'SELECT value FROM "{}"."raw"."reading" GROUP BY *'


@pytest.fixture(scope="module", params=["1.8", *(["2.7"] if built_influxd2() else [])])
def server(request):
    with InfluxServer() if request.param == "1.8" else Influx2Server() as running:
        yield running


@contextmanager
def linked(server, words):
    """A wire over a link that counts, to a database of its own."""
    url = server.url_of(f"g{time.time_ns()}")
    make_ready(url, "town")
    (port,) = re.findall(r":(\d+)/", url)
    with Proxy(int(port)) as link:
        wire = connect(influx_address(url.replace(f":{port}/", f":{link.port}/") + words))
        yield wire, link
        wire.client.close()


def answer(wire):
    tables = wire.ask(READ.format(wire.address.database))
    return sum(len(table.columns["time"]) for table in tables)


def crossed(server, words):
    """Bytes that writing and reading the lines took, there and back."""
    with linked(server, words) as (wire, link):
        wire.write("raw", LINES)
        sent, back = link.carried, link.brought
        assert answer(wire) == N
        return sent, link.brought - back


def test_on_a_slow_link_a_batch_and_an_answer_take_a_fraction_of_their_bytes(server):
    sent, back = crossed(server, "?gzip=no")
    assert len(LINES) < sent < len(LINES) + 1_000
    sent_small, back_small = crossed(server, "?gzip=yes")
    assert sent_small < sent / 5
    assert back_small < back / 2


def test_a_body_that_is_too_large_although_compressed_is_halved():
    with InfluxServer({"INFLUXDB_HTTP_MAX_BODY_SIZE": "9000"}) as strict:
        bodies = {}
        for words in ("", "?gzip=yes"):
            with linked(strict, words) as (wire, link):
                wire.write("raw", LINES)
                assert answer(wire) == N
                bodies[words] = link.carried
    assert bodies["?gzip=yes"] > 9_000 * 2  # no single body would have held it all
    assert bodies["?gzip=yes"] < bodies[""] / 5

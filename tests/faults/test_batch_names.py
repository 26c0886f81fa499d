"""One name for a batch in every log on its way: edge agent, ingest, store writer."""

import re

import pytest
from rigs.influx_server import InfluxServer, make_ready
from rigs.ingest_process import T0_MS, Debian, Served, agent_playing, water_estate

from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect

pytestmark = pytest.mark.broker

ROWS = 40


def names(log, event):
    """The batches of all lines that tell ``event``."""
    lines = [line for line in log.splitlines() if f"event={event} " in line]
    return [re.search(r" batch=(\S+)", line)[1] for line in lines]


def test_a_batch_that_the_store_refuses_has_one_name_in_the_logs_of_all_who_handled_it(tmp_path, monkeypatch):
    monkeypatch.setenv("METERHOUSE_LOG_LEVEL", "debug")
    with InfluxServer() as server, Debian() as broker:
        make_ready(server.url, "town")
        wire = connect(influx_address(server.url))
        wire.write("raw", b"reading,meter=m9 value=1i %d" % T0_MS)  # in that week, value is an integer for ever
        wire.client.close()
        with Served(tmp_path, broker, water_estate(), METERHOUSE_STORE=server.url) as ingest:
            with agent_playing(tmp_path, broker, ROWS, batch_rows=ROWS):
                ingest.until(lambda: sum(item.count for item in ingest.quarantined()) == ROWS)
                ingest.until(lambda: names(ingest.log, "readings_refused"))
                ingest.until(lambda: names(ingest.log, "settled"))
            (name,) = set(names(ingest.log, "readings_refused"))
            assert re.fullmatch(r"edge-1/[0-9a-f]{16}/1", name)
            assert name in names((tmp_path / "edge" / "log").read_text(), "sent")
            # On a busy machine the agent sends it once more before it hears that it has come.
            assert set(names(ingest.log, "read")) == set(names(ingest.log, "settled")) == {name}
            refusal = next(line for line in ingest.log.splitlines() if "event=readings_refused" in line)
            assert f"reason=field_type_conflict readings={ROWS}" in refusal
            assert "level=warning" in refusal


def test_batches_that_come_through_are_not_told_one_by_one(tmp_path):
    with Debian() as broker, Served(tmp_path, broker, water_estate()) as ingest:
        with agent_playing(tmp_path, broker, ROWS):
            ingest.until(lambda: ingest.count() == ROWS)
        assert "batch=" not in ingest.log + (tmp_path / "edge" / "log").read_text()

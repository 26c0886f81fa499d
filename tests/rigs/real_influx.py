"""A real InfluxDB by its version, for tests that hold what each answers."""

from __future__ import annotations

import contextlib

from rigs.influx2_server import Influx2Server, need_influxd2
from rigs.influx_server import InfluxServer, make_ready, need_influxd

VERSIONS = ("1.8", "2.7")


@contextlib.contextmanager
def real_influx(version, site):
    """The URL of a store that is ready for a site. A missing server is a skip, or fails where they are required."""
    if version == VERSIONS[0]:
        need_influxd()
    else:
        need_influxd2()
    with (InfluxServer if version == VERSIONS[0] else Influx2Server)() as running:
        make_ready(running.url, site)
        yield running.url

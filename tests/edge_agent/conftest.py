"""A real broker, and the simplest server behind it."""

from __future__ import annotations

import pytest
from rigs.edge_server import Server
from rigs.servers import Mosquitto


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as mosquitto:
        yield mosquitto


@pytest.fixture
def server(broker):
    made = Server(broker.port)
    yield made
    made.stop()

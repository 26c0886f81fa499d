"""What the fault tests of the edge share: a broker of their own, and servers that end with the test."""

from __future__ import annotations

import pytest
from rigs.edge_server import Server
from rigs.servers import Mosquitto


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as mosquitto:
        yield mosquitto


@pytest.fixture
def serve(broker):
    """Servers that end with the test, also when it fails: two of one name would kick each other."""
    made = []

    def start(**options):
        made.append(Server(broker.port, **options))
        return made[-1]

    yield start
    for server in made:
        server.stop()

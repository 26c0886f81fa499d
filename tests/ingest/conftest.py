import pytest
from rigs.ingest_rig import IDENTITIES, Client, Ingest
from rigs.servers import need_mosquitto

from meterhouse.servers.broker import start_broker


@pytest.fixture(scope="session")
def mosquitto_is_here():
    need_mosquitto()


@pytest.fixture(scope="module", params=["mosquitto", "iotcore"])
def broker(request, tmp_path_factory):
    if request.param == "mosquitto":
        request.getfixturevalue("mosquitto_is_here")
    with start_broker(tmp_path_factory.mktemp("broker"), IDENTITIES, kind=request.param) as started:
        yield started


@pytest.fixture
def connect(broker):
    """Clients of the broker, closed in the end."""
    opened = []

    def make(identity, *topics):
        opened.append(Client(broker, identity, *topics))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def ingest(tmp_path, broker):
    running = Ingest(tmp_path, broker).start()
    yield running
    running.close()


@pytest.fixture
def edge(connect):
    return connect("edge-1", "meterhouse/1/ack/edge-1")

"""Who signs in to a real InfluxDB and how: passwords in any script, accounts that may not, the other generation."""

import time
from urllib.parse import quote

import pytest
from rigs.influx2_fake import Fake2
from rigs.influx_server import make_ready

from facility.errors import StoreUnavailable
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect, quoted


@pytest.fixture
def account(server):
    """Makes an account, and says the URL by which it signs in."""

    def make(password, rights=""):
        user = f"u{time.time_ns()}"
        admin = connect(influx_address(server.url))
        admin.ask_json(f"CREATE USER {user} WITH PASSWORD {quoted(password)} {rights}")
        admin.client.close()
        return f"influx://{user}:{quote(password, safe='')}@127.0.0.1:{server.server.port}/d{time.time_ns()}"

    return make


@pytest.mark.parametrize("password", ["密码", "pässwort", "a:b'\"/#?%@z\\"])
def test_a_password_in_any_script_signs_in(account, password):
    url = account(password, "WITH ALL PRIVILEGES")
    make_ready(url, "town")
    wire = connect(influx_address(url))
    wire.write("raw", b"reading,meter=m value=1 1")
    (table,) = wire.ask("SELECT value FROM raw.reading")
    assert table.columns["time"].tolist() == [1]
    wire.client.close()


def test_an_account_that_may_not_create_a_database_is_told_who_may(account):
    with pytest.raises(StoreUnavailable, match="only an administrator's account may prepare a store"):
        make_ready(account("secret"), "town")


def test_an_address_of_the_other_generation_is_told_which_one_is_meant(server):
    new_for_old = f"influx+token://token@127.0.0.1:{server.server.port}/org/readings"
    with pytest.raises(StoreUnavailable, match=r"if this is a 1\.x, its address begins with influx://"):
        make_ready(new_for_old, "town")
    with Fake2(server) as fake:
        old_for_new = f"influx://user:password@127.0.0.1:{fake.server.server_address[1]}/readings"
        with pytest.raises(StoreUnavailable, match=r"401 .*that of a 2\.x begins with influx\+token://"):
            make_ready(old_for_new, "town")

"""The page of the server is for who runs it: what the doctor says, looked at now."""

from datetime import timedelta

import httpx
import pytest
from rigs.sample import NOW
from rigs.serving import served

from facility.rights import Role
from reports.doctor import Ground
from stores.records.accounts.grants import Grant, Grants
from stores.records.people import People


@pytest.fixture(scope="module")
def running(sample):
    files = sample.folder
    ground = Ground(files, f"sqlite://{files / 'readings.db'}", f"sqlite:///{files / 'records.db'}")
    with served(sample.store, sample.records, lambda: NOW + timedelta(seconds=1), ground=ground) as running:
        yield running


@pytest.fixture
def client_of(running, sample):
    opened = []

    def client(role):
        name = f"The {role}"
        link = People(sample.records).invite(name, NOW)
        Grants(sample.records).give(name, Grant(role), "test", NOW)
        made = httpx.Client(base_url=running[0], headers={"accept": "text/html"}, trust_env=False)
        opened.append(made)
        assert made.post("/sign-in", data={"token": link}).status_code == 303
        return made

    yield client
    for one in opened:
        one.close()


def test_who_runs_the_server_reads_what_is_wrong_and_what_to_do(client_of):
    client = client_of(Role.SYSTEM_ADMINISTRATOR)
    page = client.get("/server")
    assert page.status_code == 200
    for words in ("none is configured", "METERHOUSE_BACKUP names a folder", "MiB free in", "tell nothing"):
        assert words in page.text
    assert 'href="/server"' in client.get("/").text
    client.cookies.set("meterhouse_language", "zh-Hans")
    assert "未配置备份" in client.get("/server").text


def test_nobody_else_does(client_of, sample):
    sample.session()
    for role in (Role.OFFICER, Role.AUDITOR):
        client = client_of(role)
        assert client.get("/server").status_code == 403
        assert 'href="/server"' not in client.get("/account").text


def test_a_console_that_knows_no_folder_has_no_such_page(sample, client_of, running):
    running[1].state.parts, kept = _without_ground(running[1].state.parts), running[1].state.parts
    try:
        assert client_of(Role.SYSTEM_ADMINISTRATOR).get("/server").status_code == 404
    finally:
        running[1].state.parts = kept


def _without_ground(parts):
    from dataclasses import replace  # noqa: PLC0415

    return replace(parts, ground=None)

"""The page that leads to Grafana, where one is configured."""

from datetime import timedelta

import httpx
import pytest
from pydantic import ValidationError
from rigs.sample import NOW
from rigs.serving import served
from rigs.visitor import choose

from console.pages.dashboards import KEYS
from console.settings import ConsoleSettings
from dashboards import DASHBOARDS


@pytest.fixture
def linked(sample):
    """A console that knows a Grafana, and somebody signed in there."""
    with (
        served(sample.store, sample.records, lambda: NOW + timedelta(seconds=1), grafana="https://g.example") as (
            address,
            _,
        ),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as client,
    ):
        client.cookies.set("meterhouse_session", sample.session())
        yield client


def test_it_leads_to_every_dashboard_in_the_reader_s_language(linked):
    page = linked.get("/dashboards").text
    assert all(f'href="https://g.example/d/{key}-en"' in page for key in KEYS)
    assert "Which building to look at first" in page
    choose(linked, "zh-Hans")
    assert 'href="https://g.example/d/water-zh-Hans"' in linked.get("/dashboards").text
    choose(linked, "en")
    assert 'href="/dashboards"' in linked.get("/").text


def test_without_a_grafana_no_page_speaks_of_it(visitor):
    assert visitor.get("/dashboards").status_code == 404
    assert "/dashboards" not in visitor.get("/").text


def test_its_list_is_that_of_the_dashboards_that_stand_in_grafana_s_own():
    assert set(KEYS) == set(DASHBOARDS) - {"meter"}


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValidationError):
        ConsoleSettings(store="s", records="r", grafana_url="javascript:alert(1)")

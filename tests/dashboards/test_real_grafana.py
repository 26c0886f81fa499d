"""In a real Grafana 12: everything is there without a click, every panel draws, and a push does what it says.

Skipped where there is none, also where servers are required, for none can be had here: the reason says so.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest
from rigs.board_times import period_of
from rigs.boards import boards
from rigs.demo_past import DemoPast
from rigs.grafana_looks import wrong_with
from rigs.pictures.answers import ask
from rigs.real_grafana import need_grafana, real_grafana
from rigs.real_influx import real_influx

from accounting.local_time import DAY_MS
from dashboards.build import SHIPPED
from dashboards.choices import first_choice, panel_queries
from dashboards.grafana import Grafana
from dashboards.push import Wish, bring
from stores.readings.influx.address import influx_address
from stores.readings.influx.wire import connect

pytestmark = [pytest.mark.long, pytest.mark.grafana, pytest.mark.browser]

SCREENS = (1440, 1920)


class Tried:
    """A Grafana that reads the demo's past as of now, pushed to once where it has no files."""

    def __init__(self, grafana, store, past):
        self.grafana, self.past, self.wire = grafana, past, connect(influx_address(store))
        self.now_ms = past.now_ms
        self.api = httpx.Client(base_url=grafana.url, headers={"Authorization": f"Bearer {grafana.token}"}, timeout=60)
        self.store = store
        self.first = None if grafana.has_files else self.push()

    def push(self):
        wish = Wish(self.past.catalogue, boards(), SHIPPED, "estate-en", influx_address(self.store))
        return bring(Grafana(self.grafana.url, self.grafana.token), wish, (self.now_ms - 30 * DAY_MS, self.now_ms))

    def empty(self, board):
        """Titles of panels whose queries find nothing for what stands above the dashboard."""
        choice, zone = first_choice(board, self.past.catalogue), ZoneInfo(board["timezone"])
        now = datetime.now(UTC).astimezone(zone)
        for panel in board["panels"]:
            answer = ask(self.wire, panel, period_of(board, panel, now), choice)
            if not any(v is not None for one in (*answer.series, *answer.columns) for v in one.values):
                yield panel["title"]


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    need_grafana()
    with real_influx("1.8", "demo-estate") as store, real_grafana(store) as grafana:
        now = datetime.now(UTC)
        past = DemoPast(tmp_path_factory.mktemp("past"), store, now - timedelta(minutes=2), now.date())
        yield Tried(grafana, store, past)
        past.close()


@pytest.mark.parametrize("path", sorted(boards()))
def test_every_dashboard_opens_without_an_error_and_shows_the_figures_that_there_are(tried, chromium, path):
    board, found = boards()[path], []
    for width in SCREENS:
        context = chromium.new_context(extra_http_headers={"Authorization": f"Bearer {tried.grafana.token}"})
        found += wrong_with(context.new_page(), tried.grafana.url, board, set(tried.empty(board)), width)
        context.close()
    assert found == []


@pytest.mark.parametrize("path", sorted(boards()))
def test_every_query_is_answered_through_grafana(tried, path):
    board = boards()[path]
    asked = [one for _, one in panel_queries(board, first_choice(board, tried.past.catalogue))]
    letters = [{**one, "refId": f"Q{k}"} for k, one in enumerate(asked)]
    span = {"from": str(tried.now_ms - 30 * DAY_MS), "to": str(tried.now_ms)}
    answer = tried.api.post("/api/ds/query", json={**span, "queries": letters})
    assert answer.status_code == 200, answer.text[:500]
    assert {ref: one["error"] for ref, one in answer.json()["results"].items() if one.get("error")} == {}


def test_everything_is_there_without_a_click(tried):
    assert tried.api.get("/api/datasources/uid/influx-energy-internal/health").json()["status"] == "OK"
    assert {one["uid"] for one in tried.api.get("/api/folders").json()} >= {"energy-en", "energy-zh-Hans"}
    rules = tried.api.get("/api/v1/provisioning/alert-rules").json()
    assert not tried.grafana.has_files or len(rules) == 5
    assert httpx.get(f"{tried.grafana.url}/api/org").status_code == 401, "nobody looks without signing in"


def test_a_push_reads_back_what_it_pushed_and_changes_nothing_the_second_time(tried):
    if tried.grafana.has_files:
        pytest.skip("this Grafana has its dashboards by files: name one by GRAFANA_URL")
    assert tried.first.queries > len(boards())
    for board in boards().values():
        there = tried.api.get(f"/api/dashboards/uid/{board['uid']}").json()["dashboard"]
        assert there["schemaVersion"] == board["schemaVersion"]
        assert [one["id"] for one in there["panels"]] == [one["id"] for one in board["panels"]]
    again = tried.push()
    assert (again.created, again.changed, again.deleted, again.unchanged) == ([], [], [], len(boards()))

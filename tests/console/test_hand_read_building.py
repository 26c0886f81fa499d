"""A building whose meters people read: when each was read, and what is due."""

from datetime import UTC, datetime

import httpx
import pytest
from rigs.serving import served

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.model import Quality, ReadingBatch
from facility.rights import Role
from stores.readings.memory import MemoryStore
from stores.records.accounts.grants import Grant, Grants
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry

NOW = datetime(2026, 11, 20, tzinfo=UTC)
SITE = """\
version: 1
site: {id: town, name: Town, timezone: Asia/Shanghai, currency: CNY}
buildings: [{id: hall, name: Hall}]
meters:
  - {id: main, name: Main, building: hall, utility: electricity, role: head, serial: X7}
  - {id: water, name: Water, building: hall, utility: water, role: head, read_every_days: 7}
"""


@pytest.fixture
def client(tmp_path):
    estate = load_site(SITE, "site.yaml", load_profiles(), reader="registry")
    records, store = open_records(f"sqlite:///{tmp_path}/records.db"), MemoryStore()
    Registry(records).apply(estate, by="test", at=NOW)
    week_ago = round(NOW.timestamp() * 1000) - 8 * 86_400_000
    points = ["main/energy_import/total", "water/water_volume/total"]
    store.write(ReadingBatch(points, [0, 1], [week_ago] * 2, [4711.5, 20.0], [Quality.MANUAL.value] * 2))
    link = People(records).invite("Ada", NOW)
    Grants(records).give("Ada", Grant(Role.VIEWER), "test", NOW)
    with (
        served(store, records, lambda: NOW) as (address, _),
        httpx.Client(base_url=address, headers={"accept": "text/html"}, trust_env=False) as asks,
    ):
        asks.cookies.set("meterhouse_session", People(records).redeem(link, NOW, 86_400))
        yield asks
    records.dispose()


def test_the_page_tells_what_is_due_and_calls_nothing_silent(client):
    text = client.get("/buildings/hall").text
    section = text[text.index('id="by-hand"') :]
    section = section[: section.index("</section>")]
    assert "4,711.5" in section
    assert "X7" in section
    assert section.count("Due</span>") == 1, "water alone"
    assert "2026-12-13" in section, "31 days after the read of electricity"
    first = client.get("/").text
    assert "No meter is heard" not in first
    assert "0 of 0" in first

"""The first page of an estate of fifty buildings stays small, and each of them is on it."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import numpy as np
import pytest
from rigs.rights import everything
from rigs.sample import NOW
from rigs.serving import served

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.model import ReadingBatch
from stores.readings.memory import MemoryStore
from stores.readings.port import RollupSeries
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry

BUILDINGS, HOUR_MS = 50, 3_600_000
MOST_BYTES = 60_000
SITE = """\
version: 1
site: {id: town, name: {en: The town, zh: 全市}, timezone: Asia/Shanghai, currency: CNY}
buildings:
%s
agents: [{id: edge-1, buses: [{id: field, url: "modbus+tcp://10.0.0.7"}]}]
meters:
%s
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    records = open_records(f"sqlite:///{tmp_path_factory.mktemp('town')}/records.db")
    buildings = (
        f"- {{id: b{n}, name: {{en: Primary school {n}, zh: 第{n}小学教学楼}}, floor_area_m2: 12345}}"
        for n in range(BUILDINGS)
    )
    meters = (
        f"- {{id: m{n}, name: M, building: b{n}, profile: eastron/sdm120, agent: edge-1, bus: field, unit: {n + 1},"
        " utility: electricity, role: head}"
        for n in range(BUILDINGS)
    )
    estate = load_site(SITE % ("\n".join(buildings), "\n".join(meters)), "site.yaml", load_profiles())
    Registry(records).apply(estate, by="test", at=NOW)
    store, now_ms = MemoryStore(), round(NOW.timestamp() * 1000)
    points = [f"m{n}/active_power/total" for n in range(BUILDINGS)]
    rows = range(BUILDINGS)
    store.write(ReadingBatch(points, list(rows), [now_ms - 1000] * BUILDINGS, [12_345.0 + n for n in rows], []))
    t_ms = now_ms // HOUR_MS * HOUR_MS + np.arange(-30, 1, dtype=np.int64) * HOUR_MS
    for n in rows:
        qty = 150 + 77.7 * np.sin(np.arange(31) * (n + 1) / 5)
        fields = {"qty": qty, "expected": qty / 1.1, "lo": qty * 0.7, "hi": qty * 1.2, "cost": qty}
        tags = {"site": "town", "building": f"b{n}", "utility": "electricity"}
        store.write_rollup("building_1h", [RollupSeries(tags, t_ms, fields)])
    people = People(records)
    link = people.invite("Kim", NOW)
    everything(records, "Kim", NOW)
    session = people.redeem(link, NOW, 86_400)
    with served(store, records, lambda: NOW + timedelta(seconds=1)) as (at, _):
        yield at, session
    records.dispose()


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_the_first_page_of_fifty_buildings_is_small_and_lacks_none(address, language):
    headers = {"accept": "text/html", "accept-language": language}
    with httpx.Client(base_url=address[0], headers=headers, trust_env=False) as client:
        client.cookies.set("meterhouse_session", address[1])
        page = client.get("/").text
        pieces = client.get("/live?of=estate").text
    assert len(page.encode()) < MOST_BYTES
    for n in range(BUILDINGS):
        assert f'href="/buildings/b{n}"' in page
        for tile in ("power", "seen"):
            assert page.count(f'id="{tile}-b{n}"') == pieces.count(f'id="{tile}-b{n}"') == 1
    assert len(re.findall(r'<path class="spark-band" d="M\d+ \d+l[-\d ]+Z"/>', page)) == 18
    assert page.count('<tr><th scope="row">') == 32


def test_every_drawing_that_a_page_uses_is_on_it(address):
    with httpx.Client(base_url=address[0], headers={"accept": "text/html"}, trust_env=False) as client:
        client.cookies.set("meterhouse_session", address[1])
        pages = [client.get(path).text for path in ("/", "/buildings/b1", "/alerts", "/quarantine")]
    for page in pages:
        used, there = (set(re.findall(rf'{mark}="#?i-([a-z]+)"', page)) for mark in ("href", "symbol id"))
        assert used
        assert used <= there

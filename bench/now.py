"""What the first page and a second of live streams cost the console at 10,000 points: processor time, and bytes.

No process but this one: an estate of ``bench.stack`` with a day of hours and a newest value of each point, of which a
sixtieth changes each second, as at one reading a minute.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from bench.stack.estate import HOUR_MS, hash_ms, nowhere, plan, said, site_text
from console.app import create_app
from console.guard import SESSION_COOKIE
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.model import ReadingBatch
from facility.rights import Role
from stores.access import LiveValues
from stores.readings.port import RollupSeries
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounts.grants import Grant, Grants
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bench.stack.estate import Plan
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore

RESULT = Path(__file__).parent / "results" / "now.json"
POINTS, HOST, PAGES, SECONDS = 10_000, "127.0.0.1:8080", 15, 12
STREAMS = (20, 200)
PAGE_S, PAGE_KB = 0.15, 60.0
STREAM_CPU_S = {20: 6.0, 200: 15.0}


def write_day(store: ReadingStore, estate: Catalogue, now_ms: int) -> None:
    """Hours of every building since yesterday."""
    t_ms = np.arange(now_ms // HOUR_MS - 30, now_ms // HOUR_MS + 1, dtype=np.int64) * HOUR_MS
    ones = np.ones(len(t_ms))
    qty = 40 + 17.3 * np.sin(t_ms / HOUR_MS / 4)
    fields = {
        "qty": qty,
        "expected": qty * 0.97,
        "lo": qty * 0.83,
        "hi": qty * 1.13,
        "cost": qty * 0.3,
        "complete": ones,
    }
    for building in estate.buildings:
        tags = {"site": estate.site.id, "building": building.id, "utility": "electricity"}
        store.write_rollup("building_1h", [RollupSeries(tags, t_ms, fields)])


def write_second(store: ReadingStore, made: Plan, estate: Catalogue, now_ms: int, *, all_points: bool = False) -> None:
    """The readings of one second: a sixtieth of the estate."""
    second = now_ms // 1000 % 60
    points = [p for p in estate.points if all_points or hash_ms(p.meter) // 1000 == second]
    x = [float(said(made, p.meter, p.quantity, np.array([now_ms]))[0]) for p in points]
    rows = range(len(points))
    store.write(ReadingBatch([p.id for p in points], p=list(rows), t_ms=[now_ms] * len(points), x=x, q=[]))


async def asked(app: FastAPI, path: str, cookie: str, most_s: float = 60.0) -> bytes:
    """What the application answers, for so long at most: a stream does not end by itself."""
    body, began = bytearray(), asyncio.Event()

    async def receive() -> dict[str, object]:
        if not began.is_set():
            began.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(most_s)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        body.extend(message.get("body", b""))  # type: ignore[arg-type]

    plain, _, query = path.partition("?")
    headers = [(b"host", HOST.encode()), (b"cookie", cookie.encode()), (b"accept", b"text/html")]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": plain, "raw_path": plain.encode(), "query_string": query.encode(),
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080), "state": {},
    }  # fmt: skip
    with suppress(TimeoutError):
        await asyncio.wait_for(app(scope, receive, send), most_s)
    return bytes(body)


async def measure(folder: Path) -> dict[str, float]:
    made = plan(POINTS)
    estate = load_site(site_text(made, nowhere(made)), "site.yaml", load_profiles())
    records, store = open_records(f"sqlite:///{folder}/records.db"), SqliteStore(folder / "readings.db")
    now = datetime.now(UTC)
    Registry(records).apply(estate, by="bench", at=now)
    write_day(store, estate, round(now.timestamp() * 1000))
    write_second(store, made, estate, round(now.timestamp() * 1000), all_points=True)
    people, live = People(records), LiveValues(store)
    live.refresh()
    app = create_app(store, records, lambda: datetime.now(UTC), hosts=[HOST], session_s=86_400, live=live)
    viewers = [f"viewer-{n}" for n in range(max(STREAMS) // 10)]
    cookies = [
        f"{SESSION_COOKIE}={people.redeem(people.invite(name, now), now + timedelta(seconds=1), 86_400)}"
        for name in viewers
    ]
    for name in viewers:
        Grants(records).give(name, Grant(Role.VIEWER), "bench", now)
    figures = await pages(app, cookies[0])
    for streams in STREAMS:
        figures |= await streamed(app, live, cookies, streams, lambda ms: write_second(store, made, estate, ms))
    return figures


async def pages(app: FastAPI, cookie: str) -> dict[str, float]:
    """Processor seconds of one page, and its size."""
    took, page = [], b""
    for _ in range(PAGES):
        begun = time.process_time()
        page = await asked(app, "/", cookie)
        took.append(time.process_time() - begun)
    return {
        "page_cpu_s": round(median(took), 3),
        "page_most_cpu_s": round(max(took[1:]), 3),
        "page_kb": round(len(page) / 1000, 1),
    }


async def streamed(app: FastAPI, live: LiveValues, cookies: list[str], streams: int, write) -> dict[str, float]:  # noqa: ANN001
    """Processor seconds a minute of so many streams, without what writes beside them."""
    running = [
        asyncio.create_task(asked(app, "/events?of=estate", cookies[n // 10], SECONDS + 4)) for n in range(streams)
    ]
    await asyncio.sleep(3)
    begun, other, ends = time.process_time(), 0.0, time.monotonic() + SECONDS
    while time.monotonic() < ends:
        before = time.thread_time()
        write(time.time_ns() // 1_000_000)
        other += time.thread_time() - before
        live.refresh()
        await asyncio.sleep(1.0)
    spent = time.process_time() - begun - other
    sent = await asyncio.gather(*running)
    messages = sum(one.count(b"event: ") for one in sent)
    return {
        f"streams_{streams}_cpu_s_a_minute": round(spent / (SECONDS / 60), 2),
        f"streams_{streams}_messages": messages,
        f"streams_{streams}_bytes_a_message": round(sum(map(len, sent)) / max(1, messages)),
    }


def main() -> int:
    """Write ``bench/results/now.json``; 1 where a figure misses its target."""
    with tempfile.TemporaryDirectory() as folder:
        figures = {"points": POINTS} | asyncio.run(measure(Path(folder)))
    text = json.dumps(figures, indent=2)
    print(text)
    RESULT.write_text(text + "\n", encoding="utf-8")
    is_slow = figures["page_cpu_s"] > PAGE_S or figures["page_kb"] > PAGE_KB
    return int(is_slow or any(figures[f"streams_{n}_cpu_s_a_minute"] > most for n, most in STREAM_CPU_S.items()))


if __name__ == "__main__":
    sys.exit(main())

"""What the gate costs: the first page at 5,000 points with and without it, one sign-in, and a look at a long trail.

Without the gate means: who asks may see and do all, and nobody looks that up. With it: a viewer of the site up to a
level, by grants in the records. Both are asked in turns, by one process, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.now import HOST, asked, write_day, write_second
from bench.stack.estate import nowhere, plan, site_text
from console.app import create_app
from console.guard import SESSION_COOKIE
from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.levels import Level
from facility.rights import Role
from stores.access import LiveValues, Permit, Rights
from stores.readings.sqlite.store import SqliteStore
from stores.records.accounts.grants import Grant, Grants
from stores.records.accounts.sign_in import SignIn
from stores.records.accounts.tokens import NO_BROWSER
from stores.records.audit import Audit
from stores.records.audit_seal import content_of, head_seal, seal_of
from stores.records.database import open_records
from stores.records.people import People
from stores.records.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from sqlalchemy import Engine

    from stores.records.audit_key import AuditKey

RESULT = Path(__file__).parent / "results" / "gate.json"
POINTS, PAGES, SIGN_INS, LINES = 5_000, 40, 15, 1_000_000
MOST_SHARE, SIGN_IN_S, VERIFY_S = 0.05, 0.3, 20.0
NAME, PASSWORD = "Bench", "nine green bottles"
SAID = ("bench", "alert.close", "case", "fixed")


async def page_shares(folder: Path, points: int, pages: int) -> dict[str, float]:
    """Processor seconds of the first page, without and with the gate."""
    made, now = plan(points), datetime.now(UTC)
    estate = load_site(site_text(made, nowhere(made)), "site.yaml", load_profiles())
    records, store = open_records(f"sqlite:///{folder}/records.db"), SqliteStore(folder / "readings.db")
    Registry(records).apply(estate, by="bench", at=now)
    write_day(store, estate, round(now.timestamp() * 1000))
    write_second(store, made, estate, round(now.timestamp() * 1000), all_points=True)
    live, people = LiveValues(store), People(records)
    live.refresh()
    session = people.redeem(people.invite(NAME, now), now + timedelta(seconds=1), 86_400)
    Grants(records).give(NAME, Grant(Role.VIEWER, level=Level.INTERNAL), "bench", now)
    given = {"hosts": [HOST], "session_s": 86_400, "live": live}
    apps = {
        "without": create_app(store, records, utc_now, rights_of=lambda _: Rights((Permit(),)), **given),
        "with": create_app(store, records, utc_now, **given),
    }
    cookie = f"{SESSION_COOKIE}={session}"
    took = {name: [await cpu_s(app, cookie) for _ in range(3)][3:] for name, app in apps.items()}
    for _ in range(pages):
        for name, app in apps.items():
            took[name].append(await cpu_s(app, cookie))
    found = {name: median(times) for name, times in took.items()}
    records.dispose()
    store.close()
    return {
        "page_without_gate_cpu_s": round(found["without"], 4),
        "page_with_gate_cpu_s": round(found["with"], 4),
        "gate_adds_share": round(found["with"] / found["without"] - 1, 4),
    }


def utc_now() -> datetime:
    return datetime.now(UTC)


async def cpu_s(app: FastAPI, cookie: str) -> float:
    """Processor seconds of one page."""
    begun = time.process_time()
    text = await asked(app, "/", cookie)
    if b'id="main"' not in text:
        raise SystemExit(f"no page: {text[:200]!r}")
    return time.process_time() - begun


def sign_in(folder: Path, times: int) -> dict[str, float]:
    """Seconds until somebody with the right password is in."""
    records, now = open_records(f"sqlite:///{folder}/people.db"), datetime.now(UTC)
    People(records).invite(NAME, now)
    SignIn(records).set_password(NAME, PASSWORD, now)
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        SignIn(records).prove(NAME, PASSWORD, "", now, 60, NO_BROWSER)
        took.append(time.perf_counter() - begun)
    records.dispose()
    return {"sign_in_s": round(median(took), 3), "sign_in_most_s": round(max(took), 3)}


def verify(folder: Path, lines: int) -> dict[str, float]:
    """Seconds of a look at a trail with so many entries."""
    records, now = open_records(f"sqlite:///{folder}/trail.db"), datetime.now(UTC)
    audit = Audit(records)
    audit.append(now, *SAID)
    end = audit.end()
    assert end is not None
    fill(records, end[0], end[1].seq, end[1].hash, lines, now)
    begun = time.perf_counter()
    look = audit.look_through()
    took = time.perf_counter() - begun
    if look.fault or look.entries != lines:
        raise SystemExit(f"the trail is not whole: {look.fault}")
    records.dispose()
    return {"trail_lines": lines, "verify_s": round(took, 2)}


def fill(records: Engine, key: AuditKey, seq: int, seal: str, lines: int, now: datetime) -> None:
    """As many entries as there shall be, sealed as ``append_entry`` does, in one transaction."""
    at = now.isoformat(timespec="microseconds")

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal seq, seal
        while seq < lines:
            seq += 1
            seal = seal_of(key.secret, content_of(seal, seq, at, *SAID))
            yield seq, at, *SAID, seal

    with records.begin() as connection:
        cursor = connection.connection.cursor()
        insert = "INSERT INTO audit (seq, at, who, what, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
        cursor.executemany(insert, rows())
        cursor.execute("UPDATE audit_head SET seq = ?, hash = ?, seal = ?", (seq, seal, head_seal(key, seq, seal)))


def main() -> int:
    """Write ``bench/results/gate.json``, unless it is a small try; 1 where a figure misses its target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--try", dest="is_try", action="store_true", help="small, and nothing is written")
    small = parser.parse_args().is_try
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        figures: dict[str, float] = {"points": 200 if small else POINTS}
        figures |= asyncio.run(page_shares(folder, int(figures["points"]), 4 if small else PAGES))
        figures |= sign_in(folder, 3 if small else SIGN_INS) | verify(folder, 5_000 if small else LINES)
    text = json.dumps(figures, indent=2)
    print(text)
    if not small:
        RESULT.write_text(text + "\n", encoding="utf-8")
    is_slow = figures["sign_in_s"] > SIGN_IN_S or figures["verify_s"] > VERIFY_S
    return int(is_slow or figures["gate_adds_share"] > MOST_SHARE)


if __name__ == "__main__":
    sys.exit(main())

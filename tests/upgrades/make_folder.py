"""Makes the data folder that a later release must be able to take over: ``make_folder.py OUT.tar.xz``.

Run it in a work tree of the release whose folder is wanted, with that release's Python: it uses only what people
use (commands, processes, recordings, the pages' forms). It plays 35 days of two counters, edits, judges and closes,
has people told and work given out, then pulls the plug: ingest is killed, an agent still holds what was not stored.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path

DAYS, LATER_DAYS, STEP_MIN = 34, 0.25, 30
SWAP_DAY = 20
FALSE_DAY, FALSE_HOURS = 2, (8, 21)
"""On this day of the month that is closed the electricity register reads zero for so long."""
LEAK_DAYS = {12, 13, 14, 31, 32, 33, 34}
SITE = """\
version: 1
site:
  id: town
  name: {en: Town hall, zh: 市政厅}
  timezone: Europe/London
  currency: GBP
  notice: {en: Heating works until May, zh: 供暖改造至五月}
  prices:
    - {utility: water, per_unit: 3.20, valid_from: 2020-01-01, basis: assumed}
    - {utility: electricity, per_unit: 0.25, valid_from: 2020-01-01, basis: assumed}
departments: [{id: estates, name: Estates}]
buildings:
  - id: hall
    name: {en: Hall, zh: 大厅}
    department: estates
    use: office
    floor_area_m2: 1200
    hours: {mon-fri: "08:00-18:00"}
agents: [{id: edge-1, buses: [{id: gateway, url: "modbus+tcp://127.0.0.1:1"}]}]
meters:
  - id: main
    name: Main meter
    building: hall
    profile: eastron/sdm120
    agent: edge-1
    bus: gateway
    unit: 1
    utility: electricity
    role: head
  - id: water
    name: Water
    building: hall
    profile: generic/pulse-water
    agent: edge-1
    bus: gateway
    unit: 2
    utility: water
    role: head
"""
TOLD = (
    *("cases list --all", "cases plans", "orders list --all", "roster list", "people list"),
    *("notify list", "notify letters"),
)
"""What the release says of people's work; a later one says the same."""

POINTS = ["main/energy_import/total", "water/water_volume/total"]


def main(out: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix="folder-"))
    home = folder / "town"
    (home / "data").mkdir(parents=True)
    (home / "edge" / "recordings").mkdir(parents=True)
    (home / "edge" / "site.yaml").write_text(SITE, encoding="utf-8")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    begin = now - timedelta(days=DAYS + LATER_DAYS)
    readings = list(town(begin))
    split = begin + timedelta(days=DAYS)
    first = [one for one in readings if one[1] < ms(split)]
    later = [one for one in readings if one[1] >= ms(split)]
    port, page = free_port(), free_port()
    env = {
        "METERHOUSE_DATA": str(home / "data"),
        "METERHOUSE_STORE": f"sqlite://{home / 'data' / 'readings.db'}",
        "METERHOUSE_RECORDS": f"sqlite:///{home / 'data' / 'records.db'}",
        "METERHOUSE_BROKER": f"mqtt://ingest:any@127.0.0.1:{port}",
        "METERHOUSE_LISTEN": f"127.0.0.1:{page}",
    }
    edge_env = {
        "METERHOUSE_DATA": str(home / "edge"),
        "METERHOUSE_SITE": str(home / "edge" / "site.yaml"),
        "METERHOUSE_AGENT": "edge-1",
        "METERHOUSE_REPLAY": str(home / "edge" / "recordings"),
        "METERHOUSE_BROKER": f"mqtt://edge-1:any@127.0.0.1:{port}",
        "METERHOUSE_BACKLOG_DELAY_S": "0",
    }
    with broker(folder, port), process("ingest", env) as ingest, process("console", env):
        command(env, "site", "apply", str(home / "edge" / "site.yaml"))
        record(home / "edge" / "recordings", "a", first)
        with process("edge_agent", edge_env):
            until(lambda: taken_in(env) == len(first), 180)
            first.append((POINTS[1], ms(split) - 60_000, -6.0))
            record(home / "edge" / "recordings", "aa", first[-1:])
            until(lambda: taken_in(env) == len(first), 120)
            with process("analytics", env | {"METERHOUSE_BROKER": f"mqtt://analytics:any@127.0.0.1:{port}"}):
                until(lambda: told_by(env, "analytics").get("state") == "live", 400)
                swap_at = begin + timedelta(days=SWAP_DAY)
                closing = max(x for p, t, x in first if p == POINTS[0] and t < ms(swap_at))
                local = swap_at.strftime("%Y-%m-%d %H:%M")
                swap = ("--closing", str(closing), "--opening", "0", "--serial", "B2", "--reason", "worn out")
                command(env, "meter", "swap", "main", "--at", local, *swap)
                until(lambda: "waiting" not in command(env, "account", "recomputations"), 120)
                time.sleep(5)
            session = judge(env, page)
            give_out(env, f"mqtt://analytics:any@127.0.0.1:{port}")
            items = json.loads(table(home / "data" / "records.db", "SELECT json_group_array(id) FROM quarantine"))
            command(env, "quarantine", "discard", str(items[0]), "--reason", "a test value")
            month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
            accepted = ("--accept-missing", "the last hours of a month come after it")
            command(env, "account", "close", "--building", "hall", "--month", month, *accepted)
            os.kill(ingest.pid, signal.SIGKILL)
            ingest.wait()
            command(env, "quarantine", "replay", str(items[1]), "--wait", "0", is_well=False)
            record(home / "edge" / "recordings", "b", later)
            until(lambda: status(edge_env)["agents"][0]["unstored"] >= len(later), 60)
    facts = {
        "made_at": datetime.now(UTC).isoformat(),
        "readings": {p: [[t, x] for q, t, x in readings if q == p and x >= 0] for p in POINTS},
        "refused": [[p, t, x] for p, t, x in first if x < 0],
        "closed_month": month,
        "session": session,
        "swap_at": swap_at.isoformat(),
        "bill": command(env, "account", "report", "--building", "hall", "--month", month),
        "meter": command(env, "meter", "history", "main"),
        "told": {words: json.loads(command(env, *words.split(), "--json")) for words in TOLD},
    }
    (home / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    for file in [*home.rglob("*.pulse"), *home.rglob("ballast")]:
        file.unlink()
    with tarfile.open(out, "w:xz", preset=9) as archive:
        archive.add(home, "town")
    shutil.rmtree(folder)
    sys.stdout.write(f"{out}: {out.stat().st_size:,} bytes\n")


def town(begin: datetime):
    """Rows ``(point, time ms, value)``: an office's week, water that runs for days, what cannot be, and false zeros."""
    energy, water = 1000.0, 500.0
    for k in range(round((DAYS + LATER_DAYS) * 24 * 60 / STEP_MIN)):
        at = begin + timedelta(minutes=STEP_MIN * k)
        works = at.weekday() < 5 and 8 <= at.hour < 18
        energy += (12.0 if works else 3.0) * STEP_MIN / 60
        day = k * STEP_MIN // (24 * 60)
        water += 0.25 if works else (0.1 if day in LEAK_DAYS else 0.0)
        if day == SWAP_DAY and at == begin + timedelta(days=SWAP_DAY):
            energy = 0.0
        is_false = (
            at.date() == (begin + timedelta(days=FALSE_DAY)).date() and FALSE_HOURS[0] <= at.hour < FALSE_HOURS[1]
        )
        yield POINTS[0], ms(at), 0.0 if is_false else round(energy, 3)
        yield POINTS[1], ms(at), round(water, 3)
        if k == 100:
            yield POINTS[1], ms(at) + 60_000, -5.0


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def record(folder: Path, name: str, rows: list) -> None:
    """One recording, as the replay reads it."""
    with (folder / f"{name}.new").open("w", encoding="utf-8") as file:
        file.write(json.dumps({"points": POINTS, "rows": len(rows)}) + "\n")
        for start in range(0, len(rows), 500):
            part = rows[start : start + 500]
            block = {
                "p": [POINTS.index(p) for p, _, _ in part],
                "t": [t for _, t, _ in part],
                "x": [x for *_, x in part],
            }
            file.write(json.dumps(block) + "\n")
    (folder / f"{name}.new").rename(folder / f"{name}.readings")


def judge(env: dict, page: int) -> str:
    """Sign in, take one alert and give a verdict on another, as a browser does; the session's cookie."""
    link = next(
        w for w in command(env, "sign-in", "--as", "Ada", "--address", f"127.0.0.1:{page}").split() if "://" in w
    )
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    cookies = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    opener.addheaders = [("Accept", "text/html")]
    base = f"http://127.0.0.1:{page}"

    def post(path: str, **fields: str) -> None:
        """Send the form with what its page hides in it."""
        page = re.sub(r"/[a-z-]+$", "", path)
        shown = opener.open(f"{base}{page}", timeout=20).read().decode() if page else ""
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))
        opener.open(base + path, urllib.parse.urlencode(fields | hidden).encode(), timeout=20)

    post("/sign-in", token=token)
    records = Path(env["METERHOUSE_DATA"]) / "records.db"
    ids = json.loads(table(records, "SELECT json_group_array(id) FROM (SELECT id FROM alert ORDER BY raised_at)"))
    assert len(ids) >= 2, ids
    post(f"/alerts/{ids[-1]}/acknowledge")
    post(f"/alerts/{ids[0]}/close", verdict="false_alarm", cause="process", note="a tap was left open")
    return next(one.value for one in cookies if one.name == "meterhouse_session") or ""


def give_out(env: dict, broker_url: str) -> None:
    """Put somebody on the roster who is told of things, plan, order, and let analytics offer what is ordered."""
    with_courier = env | {"METERHOUSE_NOTIFY": "web=json://127.0.0.1:1/letters", "METERHOUSE_BROKER": broker_url}
    command(with_courier, "notify", "add", "Ada", "web", "--to", "ada@example.org", "--quiet", "22:00-07:00")
    command(env, "roster", "put", "Ada", "--skills", "water,general", "--places", "hall")
    now, hour = datetime.now(UTC), timedelta(hours=1)
    rows = [f"Ada,{now + n * hour:%Y-%m-%dT%H:%M},{now + (n + 9) * hour:%Y-%m-%dT%H:%M}\n" for n in (-20, -11, -2, 7)]
    shifts = Path(env["METERHOUSE_DATA"]) / "shifts.csv"
    shifts.write_text("name,begins,ends\n" + "".join(rows), encoding="utf-8")
    command(env, "roster", "import", str(shifts))
    shifts.unlink()
    tomorrow = f"{now + timedelta(days=1):%Y-%m-%d}"
    plan = ("--from", f"{tomorrow}T08:00", "--to", f"{tomorrow}T12:00", "--reason", "the pump is exchanged")
    command(env, "cases", "plan", "hall", *plan)
    command(env, "orders", "make", "hall", "Look at the pump", "--skill", "water")
    command(env, "orders", "make", "hall", "Paint the door")
    with process("analytics", with_courier):
        until(lambda: "offered" in command(env, "orders", "list", "--json"), 120)
        until(lambda: json.loads(command(env, "notify", "letters", "--json"))["letters"], 120)
    command(env, "orders", "call-off", "2", "--reason", "it is painted")


def table(file: Path, query: str) -> str:
    with closing(sqlite3.connect(file)) as records:
        return records.execute(query).fetchone()[0]


def command(env: dict, *words: str, is_well: bool = True) -> str:
    whole = [sys.executable, "-m", "meterhouse", *words]
    done = subprocess.run(whole, env=os.environ | env, capture_output=True, text=True, check=False)
    if is_well and done.returncode:
        raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def process(module: str, env: dict):
    child = subprocess.Popen([sys.executable, "-m", module], env=os.environ | env)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(20)


@contextmanager
def broker(folder: Path, port: int):
    program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    user = "user root\n" if os.geteuid() == 0 else ""
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n{user}", encoding="utf-8")
    child = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(port), 10)
        yield
    finally:
        child.terminate()
        child.wait(10)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def status(env: dict) -> dict:
    """What processes and agents say of themselves."""
    return json.loads(command(env, "status", "--json", is_well=False) or "{}")


def told_by(env: dict, name: str) -> dict:
    """What a process of the server says of itself."""
    return next((one for one in status(env).get("processes", []) if one["process"] == name), {})


def taken_in(env: dict) -> int:
    """How many readings are stored or refused."""
    said = status(env)
    return said.get("stored", 0) + said.get("quarantined", 0)


def until(truth, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not truth():
        if time.monotonic() > end:
            raise SystemExit(f"not within {timeout_s} s")
        time.sleep(0.5)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())

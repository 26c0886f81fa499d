"""What an agent costs that reads five hundred points a minute: memory and processor time of its process, on one core.

Meters of a shipped model answer behind four Modbus gateways; broker and ingest are real and are not counted.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from bench.backlog import process
from bench.proc import cpu_s, load, machine, pss_mib
from device_profiles import load_profiles
from facility.documents.site import load_site
from meterhouse.overview import ask
from meterhouse.servers.broker import Broker, start_broker
from meterhouse.servers.broker_files import demo_identities
from process.health import noted_health
from stores.records.database import open_records
from stores.records.registry import Registry

RESULT = Path(__file__).parent / "results" / "edge.json"
AGENT, MODEL = "edge-1", "eastron/sdm630"
GATEWAYS, METERS = 4, 34
WARM_S, LASTS_S = 90.0, 600.0
MOST_MIB, MOST_CPU_SHARE, LEAST_SHARE = 100.0, 0.05, 0.98
REQUEST_BYTES, ANSWER_S = 12, 0.03
WORDS = struct.unpack(">2H", struct.pack(">f", 0.5))
"""A half is plausible for every point of the model, its power factor too."""


class Gateway:
    """Modbus TCP at a free port: every float of every unit is the same, after as long as a slow line takes."""

    def __init__(self) -> None:
        """It listens at once."""
        self.asked = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"modbus+tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client hangs up
            while len(request := connection.recv(REQUEST_BYTES, socket.MSG_WAITALL)) == REQUEST_BYTES:
                number, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request)
                words = [WORDS[(address + i) % 2] for i in range(count)]
                self.asked += 1
                time.sleep(ANSWER_S)
                head = (number, 0, 3 + 2 * count, unit, function, 2 * count)
                connection.sendall(struct.pack(f">HHHBBB{count}H", *head, *words))


def site_text(gateways: list[Gateway]) -> tuple[str, int]:
    """A site whose meters read every point of their model, and how many points that are."""
    places = load_profiles()[MODEL].points
    named = ", ".join(f"{{quantity: {place.quantity.word}, channel: {place.channel}}}" for place in places)
    buses = ", ".join(f'{{id: line-{i}, url: "{gateway.url}"}}' for i, gateway in enumerate(gateways))
    lines = [
        f"  - {{id: m{i}, name: M{i}, building: hall, profile: {MODEL}, level: internal, agent: {AGENT},"
        f" bus: line-{i % GATEWAYS}, unit: {i // GATEWAYS + 1}, utility: electricity, poll_s: 60, points: [{named}]}}"
        for i in range(METERS)
    ]
    head = [
        "version: 1",
        "site: {id: town, name: Town, timezone: UTC, currency: EUR}",
        "buildings: [{id: hall, name: Hall}]",
        f"agents: [{{id: {AGENT}, buses: [{buses}]}}]",
        "meters:",
    ]
    return "\n".join([*head, *lines, ""]), METERS * len(places)


def measure(folder: Path, broker: Broker) -> dict[str, float]:
    """Start everything, let it settle, and watch the agent for some minutes."""
    gateways = [Gateway() for _ in range(GATEWAYS)]
    text, points = site_text(gateways)
    (folder / "site.yaml").write_text(text, encoding="utf-8")
    engine = open_records(f"sqlite:///{folder}/records.db")
    Registry(engine).apply(load_site(text, "site.yaml", load_profiles()), by="bench", at=datetime.now(UTC))
    engine.dispose()
    with ExitStack() as stack:
        process(stack, "ingest", folder, {
            "METERHOUSE_BROKER": broker.url_for("ingest"),
            "METERHOUSE_STORE": f"sqlite:///{folder}/readings.db",
            "METERHOUSE_RECORDS": f"sqlite:///{folder}/records.db",
        })  # fmt: skip
        agent = process(stack, "edge_agent", folder, {
            "METERHOUSE_BROKER": broker.url_for(AGENT),
            "METERHOUSE_SITE": str(folder / "site.yaml"),
            "METERHOUSE_AGENT": AGENT,
        })  # fmt: skip
        os.sched_setaffinity(agent.pid, {min(os.sched_getaffinity(0))})
        time.sleep(WARM_S)
        begun_s, used_s, asked = time.monotonic(), cpu_s(agent.pid), sum(one.asked for one in gateways)
        stored, memory = stored_rows(folder), pss_mib(agent.pid)
        while time.monotonic() - begun_s < LASTS_S:
            time.sleep(5)
            memory = max(memory, pss_mib(agent.pid))
        took_s, used_s = time.monotonic() - begun_s, cpu_s(agent.pid) - used_s
        asked, stored = sum(one.asked for one in gateways) - asked, stored_rows(folder) - stored
    return {
        "points": points,
        "seconds": round(took_s),
        "requests_per_minute": round(60 * asked / took_s),
        "readings_stored_per_minute": round(60 * stored / took_s),
        "most_pss_mib": round(memory, 1),
        "cpu_share": round(used_s / took_s, 4),
        "load": load(),
    }


def stored_rows(folder: Path) -> int:
    """How many readings ingest says that it has stored."""
    seen = [one for one in ask(noted_health(folder)).processes if one.instance.process == "ingest"]
    return round(sum(one.status.figures.get("stored", 0) for one in seen))


def main() -> int:
    """Write ``bench/results/edge.json``; 1 where the agent took too much, or readings are missing."""
    with (
        tempfile.TemporaryDirectory() as name,
        start_broker(Path(name) / "broker", demo_identities(AGENT, [])) as broker,
    ):
        figures = measure(Path(name), broker)
    RESULT.write_text(json.dumps(machine() | figures, indent=2) + "\n", encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))
    is_whole = figures["readings_stored_per_minute"] >= LEAST_SHARE * figures["points"]
    return int(not is_whole or figures["most_pss_mib"] >= MOST_MIB or figures["cpu_share"] >= MOST_CPU_SHARE)


if __name__ == "__main__":
    sys.exit(main())

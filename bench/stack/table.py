"""The figures of ``bench.stack`` beside their targets, as a table and as they are kept."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEPT = Path(__file__).parent.parent / "results"
RESULTS = {"hand": KEPT / "stack.json", "up": KEPT / "site.json"}
"""By the way in which the server was started."""

TARGETS = (
    ("analytics, CPU s a minute", "cpu_s_a_minute.analytics", 25.0),
    ("analytics, MiB at most", "memory_mib.analytics", 600.0),
    ("start, CPU s", "start_cpu_s", 60.0),
    ("start, CPU s until models are learned", "start_learned_cpu_s", math.inf),
    ("a leak 10 s after the start is told, s", "start_leak_alert_s", 5.0),
    ("restart, CPU s", "restart_cpu_s", 15.0),
    ("a leak 10 s after the restart is told, s", "restart_leak_alert_s", 5.0),
    ("leak or door to alert, p95 s", "alarm_p95_s", 5.0),
    ("rollup lag, p95 s", "rollup_lag_p95_s", 10.0),
    ("Now, p95 s", "now_page_p95_s", 0.15),
    ("Now, kB", "now_page_kb", 60.0),
    ("20 live streams, console CPU s a minute", "streams_20_cpu_s_a_minute", 6.0),
    ("200 live streams, console CPU s a minute", "streams_200_cpu_s_a_minute", 15.0),
    ("edge agent, CPU s to start", "edge_start_cpu_s", 3.0),
    ("edge agent, MiB", "memory_mib.edge-0", 100.0),
    ("ingest, bytes written to disk a reading", "written_bytes_a_reading", 12_000.0),
    ("site apply, CPU s", "site_apply_cpu_s", 6.0),
    ("ingest, CPU s a minute", "cpu_s_a_minute.ingest", math.inf),
    ("broker, CPU s a minute", "cpu_s_a_minute.broker", math.inf),
    ("an edge agent, CPU s a minute", "cpu_s_a_minute.edge-0", math.inf),
    ("InfluxDB, CPU s a minute", "cpu_s_a_minute.influxd", math.inf),
    ("ingest, fsyncs a minute", "fsyncs_a_minute.ingest", math.inf),
    ("analytics, fsyncs a minute", "fsyncs_a_minute.analytics", math.inf),
    ("analytics, MB written a minute", "written_mb_a_minute.analytics", math.inf),
    ("all processes together, CPU s a minute", "cpu_s_a_minute_together", math.inf),
    ("all processes together, MiB at most", "memory_mib_together", math.inf),
    ("up to the page, s", "up_to_page_s", math.inf),
    ("readings a minute", "readings_a_minute", math.inf),
    ("load of the machine, mean", "load_mean", math.inf),
)
"""What is told, where it stands in the figures, and what it may be at 10,000 points."""


def table(figures: Mapping[str, Any]) -> str:
    """One line a figure: what it is, what was measured, what it may be."""
    lines = [f"{'measured at a load of ' + str(figures['load_mean']):<46}{'':>12}{'target':>10}"]
    for words, place, most in TARGETS:
        found = value(figures, place)
        shown = "-" if found is None else f"{found:,.2f}"
        lines.append(f"{words:<46}{shown:>12}{'' if math.isinf(most) else f'{most:,.2f}':>10}")
    return "\n".join(lines)


def misses(figures: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each figure above its target."""
    for words, place, most in TARGETS:
        found = value(figures, place)
        if found is not None and found > most:
            yield f"missed: {words}: {found:,.2f}, target {most:,.2f}"


def value(figures: Mapping[str, Any], place: str) -> float | None:
    """``memory_mib.console`` stands in a mapping of that name."""
    first, _, rest = place.partition(".")
    found = figures.get(first)
    return value(found, rest) if rest and found is not None else found


def keep(path: Path, store: str, points: int, figures: Mapping[str, Any]) -> None:
    """Beside what was measured of other stores and sizes."""
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept.setdefault(store, {})[str(points)] = _finite(figures)
    for sizes in kept.values():
        for size in sorted(sizes, key=int):
            sizes[size] = sizes.pop(size)
    path.write_text(json.dumps(dict(sorted(kept.items())), indent=2) + "\n", encoding="utf-8")


def _finite(figures: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no infinity: what never came is null."""
    return {
        name: _finite(one) if isinstance(one, dict) else None if one == math.inf else one
        for name, one in figures.items()
    }

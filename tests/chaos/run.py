"""``make chaos``: kill every part again and again while readings flow, then prove that each has exactly one end.

Exit code 0: it holds. 1: it does not, a recovery took too long, or the run could not be judged. 2: wrong arguments, or
no mosquitto.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaos.campaign import Campaign
from chaos.evidence import collect, invented, live_readings
from chaos.faults import small_disk
from chaos.parts import RigError
from chaos.readings import VALUES, Issue
from chaos.reckoning import Oracle
from chaos.schedule import SERVER_VICTIMS, VICTIMS, strikes
from chaos.topology import EDGES, STORES, Topology, find_mosquitto

from meterhouse.table import render_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.reckoning import Verdict

LEAST_READINGS, READINGS = 1_000, 100_000
KILLS, MOST_KILLS = 5, 1_000
LONGEST_RECOVERY_S = 60.0
LONGEST_S = 180.0
"""At the usual size. A loaded machine takes longer and proves as much, so this only warns."""

MOST_SEED = 2**31


def main(words: Sequence[str]) -> int:
    """One run and its report."""
    chosen = arguments(words)
    if find_mosquitto() is None:
        sys.stderr.write("make chaos needs mosquitto, and it is not installed (apt install mosquitto)\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whoever ends the rig ends its parts too
    begun = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:6.1f} s  {line}\n")
        sys.stdout.flush()

    say(f"seed {chosen.seed} (SEED={chosen.seed} repeats this run), acknowledgement by {chosen.ack_mode}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        report, holds = run(chosen, folder, say)
    except RigError as error:
        say(f"not judged: {error}; logs: {folder / 'logs'}")
        return 1
    report |= {"wall_s": round(time.monotonic() - begun, 1), "seed": chosen.seed, "ack_mode": chosen.ack_mode}
    chosen.report.parent.mkdir(parents=True, exist_ok=True)
    chosen.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{render_facts((name, words_for(value)) for name, value in report.items())}\n")
    if report["wall_s"] > LONGEST_S and (chosen.readings, chosen.kills) == (READINGS, KILLS):
        say(f"warning: it took {report['wall_s']} s, more than {LONGEST_S:.0f} s")
    if not holds:
        say(f"readings have NOT each exactly one end; what was found: {folder}")
        return 1
    if report["recovery_s"] > LONGEST_RECOVERY_S:
        say(f"a recovery took {report['recovery_s']} s, more than {LONGEST_RECOVERY_S:.0f} s; logs: {folder / 'logs'}")
        return 1
    shutil.rmtree(folder)
    return 0


def run(chosen: argparse.Namespace, folder: Path, say: Any) -> tuple[dict[str, Any], bool]:
    """Strike, then judge: the report, and whether the guarantee holds."""
    issue = Issue(chosen.seed, chosen.readings)
    topology = Topology(folder, chosen.ack_mode, chosen.store)
    with small_disk(topology.ingest) as has_small_disk:
        if not has_small_disk:
            say("the disk of ingest cannot be filled: only root may mount one; that fault is left out")
        campaign = Campaign(topology, issue, say, has_small_disk)
        try:
            topology.start()
            campaign.run(strikes(chosen.seed, chosen.kills, SERVER_VICTIMS if topology.influxd else VICTIMS))
        finally:
            topology.stop()
        say("judging")
        with topology.store_at_hand():
            verdict = judge(topology, campaign)
        if has_small_disk and not verdict.holds:
            shutil.copytree(topology.ingest, folder / "ingest-as-found")  # the small disk goes, the evidence stays
    kills = {name: part.kills for name, part in topology.parts.items()}
    report = asdict(verdict) | {"kills": kills, "beside": dict(campaign.faults), "spoilt": len(campaign.spoilt)}
    return report | {"recovery_s": round(campaign.recovery_s, 1)}, verdict.holds


def judge(topology: Topology, campaign: Campaign) -> Verdict:
    """What was issued, by the seed and by the meters, against what is there."""
    live = sorted({*live_readings(topology.outbox), *campaign.gone.live})
    verdict = Oracle([*campaign.issue, *live]).judge(collect(topology, campaign.spoilt, campaign.gone.again))
    verdict.spurious += invented(live, topology.gateway)
    return verdict


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line; ends with code 2 where it is wrong."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--readings", type=_within(LEAST_READINGS, VALUES), default=READINGS)
    parser.add_argument("--kills", type=_within(1, MOST_KILLS), default=KILLS, help=f"of each of {', '.join(VICTIMS)}")
    parser.add_argument("--seed", type=_within(0, MOST_SEED), default=os.environ.get("SEED"))
    parser.add_argument("--ack-mode", choices=EDGES, default="application", help="puback is the known-bad design")
    parser.add_argument("--store", choices=STORES, default="sqlite")
    parser.add_argument("--report", type=Path, default=Path("build/chaos.json"))
    chosen = parser.parse_args(words)
    if chosen.seed is None:
        chosen.seed = secrets.randbelow(MOST_SEED)
    return chosen


def words_for(value: object) -> str:
    """A figure for the table."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)


def _within(least: int, most: int) -> Any:
    def number(word: str) -> int:
        value = int(word)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not within {least} … {most}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The real processes over a small estate: an alarm never waits for arithmetic, however slow that is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rigs.servers import need_mosquitto

ROOT = Path(__file__).parents[2]
SLOW_ROLLUPS_S = 30
"""Each pass over rollups takes so much longer: who looked at leaks between passes would tell of most too late."""

WITHIN_S = 15


@pytest.mark.long
def test_a_leak_or_an_open_door_is_told_within_seconds_while_every_pass_over_rollups_takes_half_a_minute(tmp_path):
    need_mosquitto()
    results = tmp_path / "stack.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "bench.stack", "--points", "500", "--minutes", "0.75", "--at-once",
            "--analytics", "rigs.slow_analytics", "--within", str(WITHIN_S), "--results", str(results),
            "--folder", str(tmp_path / "town"),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "SLOW_ROLLUPS_S": str(SLOW_ROLLUPS_S)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    if not results.exists():
        pytest.fail(done.stderr[-3000:])
    figures = json.loads(results.read_text())["sqlite"]["500"]
    assert done.returncode == 0, done.stderr[-3000:]
    assert figures["alarms_seen"] == figures["alarms"] > 25
    for when in ("start", "restart"):
        assert figures[f"{when}_leak_alert_s"] <= WITHIN_S, figures

"""The command as people run it: a process of its own."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from rigs.patience import PATIENCE_S

AT_START = ("PYTHON", "LC_", "LANG", "TZ")
"""What Python reads of its environment once, when it starts."""

SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""No threads where processes are forked."""


def meterhouse(*words, data: Path | None = None, **env: str):
    """Run the real command; nothing may end in a traceback."""
    settings = {"METERHOUSE_DATA": str(data)} if data else {}
    run = _in_a_fresh_python if any(name.startswith(AT_START) for name in env) else _forked
    done = run(list(map(str, words)), {**os.environ, **settings, **env})
    assert "Traceback" not in done.stderr
    return done


def _in_a_fresh_python(words: list[str], env: dict[str, str]):
    command = [sys.executable, "-m", "meterhouse", *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=PATIENCE_S, check=False)


def _forked(words: list[str], env: dict[str, str]):
    starter = _starter()
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked = {"words": words, "env": env, "folder": str(Path.cwd()), "out": str(out), "err": str(err)}
        starter.stdin.write(json.dumps(asked) + "\n")
        starter.stdin.flush()
        ready, _, _ = select.select([starter.stdout], [], [], PATIENCE_S)
        assert ready, f"{words} did not end within {PATIENCE_S} s"
        code = int(starter.stdout.readline())
        return subprocess.CompletedProcess(words, code, out.read_text("utf-8"), err.read_text("utf-8"))


@cache
def _starter() -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parents[1])])
    started = subprocess.Popen(
        [sys.executable, "-m", "rigs.command_starter"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | SETTINGS | {"PYTHONPATH": path},
    )  # fmt: skip
    atexit.register(_end, started)
    return started


def _end(started: subprocess.Popen[str]) -> None:
    started.stdin.close()
    started.wait(PATIENCE_S)
    started.stdout.close()

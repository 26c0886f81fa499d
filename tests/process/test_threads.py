"""Every process does its arithmetic in one thread, unless whoever runs it says otherwise."""

import json
import os
import subprocess
import sys

import pytest
from rigs.patience import PATIENCE_S

BY_RUN = """
import numpy, sys
from threading import Event
from process.run import run
from process.settings import ProcessSettings
def work(settings, stop):
    import json, os
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_info
    json.dump({"libraries": threadpool_info(), "child": os.environ["OMP_NUM_THREADS"]}, sys.stdout)
    return True
sys.exit(run(ProcessSettings, work))
"""
BY_COMMAND = """
import sys, json, os
sys.argv = ["meterhouse", "--version"]
from meterhouse.cli import main
try:
    main()
except SystemExit:
    pass
import numpy
from threadpoolctl import threadpool_info
print(json.dumps({"libraries": threadpool_info(), "child": os.environ["OMP_NUM_THREADS"]}))
"""


def loaded(script, **env):
    """What numerical libraries a process has loaded, with how many threads each; and what its children inherit."""
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean | env, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("script", [BY_RUN, BY_COMMAND], ids=["process", "command"])
def test_arithmetic_keeps_to_one_thread(script):
    found = loaded(script)
    assert found["libraries"]
    assert {library["num_threads"] for library in found["libraries"]} == {1}
    assert found["child"] == "1"


def test_whoever_runs_it_may_choose():
    found = loaded(BY_RUN, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert max(library["num_threads"] for library in found["libraries"]) == min(2, os.cpu_count())
    assert found["child"] == "2"

import os
import signal
import sys

import pytest
from rigs.patience import PATIENCE_S, until

from facility.errors import ConfigError
from meterhouse import supervisor as supervisor_module
from meterhouse.supervisor import FIRST_DELAY_S, STALLED_S, Supervisor, pss_mib
from process.log_file import bound_log

SLEEP = [sys.executable, "-S", "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]
MISTAKEN = [sys.executable, "-S", "-c", "import sys; sys.exit('site.yaml:3: unknown profile')"]


@pytest.fixture
def supervisor(tmp_path):
    with Supervisor(tmp_path / "logs") as made:
        yield made


def says(supervisor, name, word, n=1):
    path = supervisor.children[name].log_path
    until(lambda: path.read_text().count(word) >= n)
    return path.read_text()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_child_is_started_again(supervisor):
    first = supervisor.start("ingest", SLEEP)
    says(supervisor, "ingest", "up")
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.tend() or supervisor.pids().get("ingest", first) != first)
    assert says(supervisor, "ingest", "up", 2).count("up") == 2
    assert supervisor.children["ingest"].restarts == 1


@pytest.fixture
def timed(tmp_path):
    """A supervisor whose time and whose children's pulse go on when the test says so."""
    now, pulse = [0.0], tmp_path / "pulse"
    with Supervisor(tmp_path / "logs", clock=lambda: now[0]) as supervisor:

        def pass_by(seconds, *, beats):
            now[0] += seconds
            if beats:
                pulse.touch()
                os.utime(pulse, (now[0], now[0]))
            supervisor.tend()

        yield supervisor, pulse, pass_by


def test_I10_a_child_that_runs_and_gets_nowhere_is_killed_and_started_again(timed):
    supervisor, pulse, pass_by = timed
    first = supervisor.start("ingest", SLEEP, pulse=pulse)
    quiet = supervisor.start("quiet", SLEEP)
    for _ in range(3):
        pass_by(STALLED_S - 0.1, beats=True)
    assert supervisor.pids() == {"ingest": first, "quiet": quiet}
    os.kill(first, signal.SIGSTOP)
    pass_by(STALLED_S - 0.1, beats=False)
    assert supervisor.pids() == {"ingest": first, "quiet": quiet}
    pass_by(0.2, beats=False)
    supervisor.children["ingest"].process.wait(PATIENCE_S)  # though it stands still
    pass_by(0.1, beats=False)
    pass_by(FIRST_DELAY_S, beats=False)
    assert supervisor.children["ingest"].restarts == 1
    assert supervisor.pids()["ingest"] != first
    assert supervisor.pids()["quiet"] == quiet


def test_a_child_that_may_be_long_about_its_work_is_given_its_own_time(timed):
    supervisor, pulse, pass_by = timed
    patient = supervisor.start("patient", SLEEP, pulse=pulse, stalled_s=30.0)
    supervisor.start("hasty", SLEEP, pulse=pulse, stalled_s=0.5)
    pass_by(1.0, beats=True)
    pass_by(29.9, beats=False)
    supervisor.children["hasty"].process.wait(PATIENCE_S)
    assert supervisor.pids() == {"patient": patient}
    pass_by(0.2, beats=False)
    supervisor.children["patient"].process.wait(PATIENCE_S)


def test_each_death_in_a_row_waits_twice_as_long(tmp_path):
    now = [0.0]
    with Supervisor(tmp_path, clock=lambda: now[0]) as supervisor:
        supervisor.start("edge", [sys.executable, "-S", "-c", "raise SystemExit(1)"])
        child, delays = supervisor.children["edge"], []
        for _ in range(3):
            child.process.wait()
            supervisor.tend()
            delays.append(child.restart_at - now[0])
            now[0] = child.restart_at
            supervisor.tend()
    assert delays == [0.5, 1, 2]


def test_a_child_that_worked_before_it_died_is_not_waited_for_long(tmp_path):
    now, pulse = [0.0], tmp_path / "edge.pulse"
    with Supervisor(tmp_path, clock=lambda: now[0]) as supervisor:
        supervisor.start("edge", SLEEP, pulse=pulse)
        child, delays = supervisor.children["edge"], []
        for beat in range(5):
            now[0] += 1
            pulse.touch()
            os.utime(pulse, (beat, beat))
            supervisor.tend()
            child.process.kill()
            child.process.wait()
            supervisor.tend()
            delays.append(child.restart_at - now[0])
            now[0] = child.restart_at
            supervisor.tend()
    assert delays == [0.5, 1, 2, 2, 2]


def test_a_mistake_that_a_person_must_mend_stops_everything(supervisor):
    healthy = supervisor.start("console", SLEEP)
    supervisor.start("edge", [*MISTAKEN[:-1], "import sys; print('site.yaml:3: unknown profile'); sys.exit(2)"])
    with pytest.raises(ConfigError, match=r"edge stopped: site\.yaml:3: unknown profile"):
        supervisor.watch(5, 0.02)
    assert not is_running(healthy)


def test_all_are_ended_the_youngest_first_and_the_deaf_are_killed(supervisor, monkeypatch):
    monkeypatch.setattr(supervisor_module, "STOP_TIMEOUT_S", 0.3)
    ended = []
    monkeypatch.setattr(supervisor_module, "_end", lambda p, end=supervisor_module._end: (ended.append(p.pid), end(p)))
    pids = [supervisor.start("edge", SLEEP), supervisor.start("ingest", DEAF)]
    says(supervisor, "ingest", "deaf")
    supervisor.stop()
    assert ended == pids[::-1]
    assert not any(map(is_running, pids))
    supervisor.stop()


def test_a_child_has_its_own_settings(supervisor):
    show = "import os; print(os.environ['METERHOUSE_AGENT'])"
    supervisor.start("edge", [sys.executable, "-S", "-c", show], {"METERHOUSE_AGENT": "edge-1"})
    assert "edge-1" in says(supervisor, "edge", "edge-1")


def test_memory_counts_children_of_children(supervisor):
    nest = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', \"input()\"], stdin=-1)"
    alone = supervisor.start("one", SLEEP)
    parent = supervisor.start(
        "two", [sys.executable, "-S", "-c", nest.replace("input()", "import time; time.sleep(60)")]
    )
    says(supervisor, "one", "up")
    until(lambda: len(supervisor_module._with_descendants({parent})) == 2)
    family = supervisor_module._with_descendants({parent})
    try:
        assert pss_mib([parent]) > pss_mib([alone]) > 1
    finally:
        supervisor.stop()
        for pid in family - {parent}:
            os.kill(pid, signal.SIGKILL)


def test_what_a_child_says_is_bounded(supervisor, monkeypatch):
    """A child that has nothing but to say that it fails, in any language, for years."""
    monkeypatch.setattr(supervisor_module, "bound_log", lambda path: bound_log(path, 20_000))
    talks = "import sys, time; print('x' * 30_000, flush=True); time.sleep(0.3); sys.exit('last words')"
    supervisor.start("ingest", [sys.executable, "-S", "-c", talks])
    path = supervisor.folder / "ingest.log"
    until(lambda: supervisor.tend() or (supervisor.children["ingest"].restarts > 0 and path.stat().st_size < 20_000))
    assert path.with_name("ingest.log.1").exists()


def test_a_child_logs_to_its_supervisor_and_not_into_its_file(supervisor, monkeypatch, tmp_path):
    monkeypatch.setenv("METERHOUSE_LOG_FILE", str(tmp_path / "mine"))
    supervisor.start("ingest", [sys.executable, "-c", "import os; print(os.environ.get('METERHOUSE_LOG_FILE'))"])
    assert says(supervisor, "ingest", "\n") == "None\n"

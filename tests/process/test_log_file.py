"""A log is bounded by size wherever it lies, and where it cannot be written the work goes on."""

import os
import subprocess
import sys
import threading
import time

import pytest
from rigs.patience import PATIENCE_S

from facility.errors import ConfigError
from process.log_file import KEPT, LogStream, bound_log

BUSY = """
import logging, sys, threading, structlog
from process.run import run
from process.settings import ProcessSettings
def work(settings, stop):
    log = structlog.get_logger()
    for i in range(4_000):
        log.warning(f"kind {i % 400}", sender="x" * 500)
    threading.Thread(target=lambda: 1 / 0, name="mortal").start()
    class Left:
        def __del__(self):
            raise ValueError("untidy")
    Left()
    return True
sys.exit(run(ProcessSettings, work))
"""


def settings(**given):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
    return clean | {f"METERHOUSE_{name}": str(value) for name, value in given.items()}


def test_a_file_that_is_full_is_put_aside_and_few_are_kept(tmp_path):
    stream = LogStream(tmp_path / "log", 1_000)
    for i in range(1_000):
        stream.write(f"line {i:04} {'x' * 90}\n")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", *(f"log.{n}" for n in range(1, KEPT + 1))]
    assert all(path.stat().st_size <= 1_000 for path in tmp_path.iterdir())
    kept = "".join((tmp_path / name).read_text() for name in [*reversed(files[1:]), "log"])
    numbers = [int(line[5:9]) for line in kept.splitlines()]
    assert numbers == list(range(numbers[0], 1_000)), "the newest lines, each whole, in their order"


def test_two_processes_that_share_a_file_bound_it_together(tmp_path):
    say = (
        "import sys; from pathlib import Path; from process.log_file import LogStream\n"
        "s = LogStream(Path(sys.argv[1]), 10_000)\n"
        "for i in range(2_000): s.write(sys.argv[2] * 99 + '\\n')"
    )
    both = [subprocess.Popen([sys.executable, "-c", say, tmp_path / "log", who]) for who in "ab"]
    assert [one.wait(PATIENCE_S) for one in both] == [0, 0]
    assert all(path.stat().st_size <= 11_000 for path in tmp_path.iterdir())
    assert {line for path in tmp_path.iterdir() for line in path.read_text().split()} <= {"a" * 99, "b" * 99}


def test_what_another_program_writes_is_bounded_while_it_writes(tmp_path):
    path, stop = tmp_path / "broker.log", threading.Event()
    say = "import time\nwhile True: print('x' * 999, flush=True); time.sleep(0.0005)"
    with path.open("ab") as log:
        talker = subprocess.Popen([sys.executable, "-c", say], stdout=log)
    try:
        cuts, until = 0, time.monotonic() + 60
        while cuts < KEPT + 2 and time.monotonic() < until:
            cuts += bound_log(path, 20_000)
            stop.wait(0.01)
    finally:
        talker.kill()
        talker.wait()
    assert cuts == KEPT + 2
    assert len(list(tmp_path.iterdir())) == KEPT + 1
    assert b"\0" not in path.read_bytes(), "it goes on at the beginning of the file"


def test_a_file_that_went_away_is_made_again(tmp_path):
    stream = LogStream(tmp_path / "log")
    stream.write("one\n")
    (tmp_path / "log").unlink()
    stream.write("two\n")
    assert (tmp_path / "log").read_text() == "two\n"


def test_lines_that_could_not_be_written_are_counted_and_told(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    stream = LogStream(folder / "log")
    (folder / "log").unlink()
    folder.rmdir()
    for _ in range(3):
        stream.write("unheard\n")
    folder.mkdir()
    stream.write("heard\n")
    lost, heard = (folder / "log").read_text().splitlines()
    assert lost.endswith("level=warning event=log_lines_lost lines=3")
    assert heard == "heard"


def test_a_file_that_cannot_be_opened_is_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"METERHOUSE_LOG_FILE: .*/no/log cannot be written: No such file"):
        LogStream(tmp_path / "no" / "log")


@pytest.mark.parametrize("stderr", ["/dev/full", "closed", "a pipe that nobody reads"])
def test_a_process_whose_log_cannot_be_written_works_on(stderr):
    command = [sys.executable, "-c", BUSY]
    if stderr == "/dev/full":
        with open(stderr, "wb") as full:  # noqa: PTH123 - a device
            done = subprocess.run(command, env=settings(), stderr=full, check=False)
    elif stderr == "closed":
        done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], env=settings(), check=False)
    else:
        reads, writes = os.pipe()
        os.close(reads)
        done = subprocess.run(command, env=settings(), stderr=writes, check=False)
        os.close(writes)
    assert done.returncode == 0


def test_a_process_logs_into_its_own_file_and_says_nothing_past_it(tmp_path):
    env = settings(LOG_FILE=tmp_path / "log", LOG_MIB=0.1, LOG_LEVEL="warning")
    done = subprocess.run([sys.executable, "-c", BUSY], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len(list(tmp_path.iterdir())) == KEPT + 1
    assert all(path.stat().st_size <= 110_000 for path in tmp_path.iterdir())
    said = (tmp_path / "log").read_text()
    assert "event=thread_broke thread=mortal" in said
    assert "event=error_left_behind" in said
    assert (tmp_path / "log").stat().st_mode & 0o077 == 0

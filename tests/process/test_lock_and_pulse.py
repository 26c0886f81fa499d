import os
import subprocess
import sys
from pathlib import Path

import pytest

from facility.errors import ConfigError
from process.lock import FileLock
from process.pulse import Pulse, pulse_file

HOLDS = """
import pathlib, sys
from process.lock import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]), "taken")
print("held", flush=True)
input()
"""


def test_a_lock_is_held_once_and_goes_with_the_process_however_it_ends(tmp_path):
    path = tmp_path / "ingest.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ConfigError, match="somebody has it"):
        FileLock(path, "somebody has it")
    holder.kill()
    holder.communicate()
    lock = FileLock(path, "somebody has it")
    lock.release()
    FileLock(path, "somebody has it").release()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(ConfigError, match="the data folder /proc/nowhere cannot be written"):
        FileLock(pulse_file(Path("/proc/nowhere"), "x"), "taken")


def test_a_pulse_beats_once_a_second_and_a_full_disk_does_not_stop_anybody(tmp_path):
    now = [0.0]
    pulse = Pulse(tmp_path, "ingest", lambda: now[0])
    pulse.beat()
    os.utime(tmp_path / "ingest.pulse", (1, 1))
    now[0] = 0.9
    pulse.beat()
    assert (tmp_path / "ingest.pulse").stat().st_mtime == 1
    now[0] = 1.0
    pulse.beat()
    assert (tmp_path / "ingest.pulse").stat().st_mtime > 1
    (tmp_path / "full").mkdir()
    unseen = Pulse(tmp_path / "full", "ingest", lambda: 0.0)
    (tmp_path / "full").rmdir()
    unseen.beat()


def test_a_pulse_that_nobody_could_see_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=f"the data folder {tmp_path}/nowhere does not exist or may not be entered"):
        Pulse(tmp_path / "nowhere", "ingest", lambda: 0.0)

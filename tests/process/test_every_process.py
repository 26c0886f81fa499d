"""Each process as a service manager meets it: what a wrong setting says, what its log looks like, how it leaves."""

import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from rigs.ingest_process import SITE
from rigs.ingest_rig import CATALOGUE, IDENTITIES
from rigs.patience import PATIENCE_S, until, within
from rigs.servers import free_port

from demo.shift import open_shift
from facility.errors import ConfigError
from meterhouse.servers.broker import start_broker
from process.privacy import check_private
from process.pulse import pulse_file
from stores.records.database import open_records
from stores.records.registry import Registry

NAMES = {"edge_agent": "edge", "ingest": "ingest", "analytics": "analytics", "console": "console"}
MODULES = ["edge_agent", "ingest", "analytics", "console", "demo.devices"]
FIRST_LINE = re.compile(r"^timestamp=\S+Z level=\S+ event=\S+", re.MULTILINE)
LEFT = re.compile(r"^(?!timestamp=\S+Z level=\S+ event=).+", re.MULTILINE)


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with start_broker(tmp_path_factory.mktemp("broker"), IDENTITIES | {"analytics": IDENTITIES["console"]}) as started:
        yield started


@pytest.fixture
def env(tmp_path, broker):
    """Settings with which every process runs."""
    records = f"sqlite:///{tmp_path / 'records.db'}"
    engine = open_records(records)
    Registry(engine).apply(CATALOGUE, by="a test", at=datetime.now(UTC))
    engine.dispose()
    (tmp_path / "site.yaml").write_text(SITE, encoding="utf-8")
    common = {"DATA": str(tmp_path), "STORE": f"sqlite:///{tmp_path / 'readings.db'}", "RECORDS": records}

    def settings(module):
        own = {
            "edge_agent": {
                "BROKER": broker.url_for("edge-1"),
                "SITE": str(tmp_path / "site.yaml"),
                "AGENT": "edge-1",
            },
            "ingest": {"BROKER": broker.url_for("ingest")},
            "analytics": {"BROKER": broker.url_for("analytics"), "TICK_S": "0.2"},
            "console": {"LISTEN": f"127.0.0.1:{free_port()}"},
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
        return clean | {f"METERHOUSE_{name}": value for name, value in (common | own.get(module, {})).items()}

    return settings


@pytest.mark.parametrize("module", MODULES)
def test_a_wrong_setting_is_the_same_kind_of_sentence_everywhere(tmp_path, module):
    given = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
    given |= {"METERHOUSE_LOG_LEVEL": "loud", "METERHOUSE_AGENT": "edge-1", "METERHOUSE_DATA": str(tmp_path)}
    given |= {"METERHOUSE_BROKER": "x", "METERHOUSE_STORE": "x", "METERHOUSE_RECORDS": "x"}
    done = subprocess.run(
        [sys.executable, "-m", module], env=given, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 2
    assert done.stderr == "METERHOUSE_LOG_LEVEL: 'loud' cannot be used (allowed: debug, info, warning)\n"


@pytest.mark.parametrize("module", ["edge_agent", "console"])
def test_a_data_folder_in_which_others_may_write_is_refused_with_what_mends_it(tmp_path, env, module):
    given = env(module)
    tmp_path.chmod(0o777)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module], env=given, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    finally:
        tmp_path.chmod(0o700)
    assert done.returncode == 2
    assert done.stderr == f"others may write in the data folder {tmp_path}: chmod 700 {tmp_path}\n"


def test_only_a_folder_that_others_may_change_is_refused(tmp_path):
    for mode, is_open in (
        (0o700, False),
        (0o750, False),
        (0o755, False),
        (0o1777, False),
        (0o770, True),
        (0o757, True),
    ):
        tmp_path.chmod(mode)
        with pytest.raises(ConfigError, match="chmod 700") if is_open else nullcontext():
            check_private(tmp_path)
    check_private(tmp_path / "none yet")


@pytest.mark.parametrize("module", ["edge_agent", "ingest", "analytics"])
def test_a_broker_far_away_without_tls_is_refused_everywhere(env, module):
    far = env(module) | {"METERHOUSE_BROKER": "mqtt://u:secret@192.0.2.7"}
    done = subprocess.run(
        [sys.executable, "-m", module], env=far, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 2
    said = LEFT.findall(done.stderr)
    assert [line.partition(" (allowed:")[0] for line in said] == [
        "METERHOUSE_BROKER: has no TLS, and others may listen on the way to 192.0.2.7"
    ]


@pytest.mark.parametrize("module", NAMES)
@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_it_logs_in_one_form_and_leaves_within_seconds_when_told(tmp_path, env, module, stop_signal):
    path = tmp_path / "log"
    with path.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module], env=env(module), stderr=log)
    try:
        pulse = pulse_file(tmp_path, NAMES[module])
        until(lambda: process.poll() is not None or (pulse.exists() and FIRST_LINE.search(path.read_text())))
        process.send_signal(stop_signal)
        with within(5):
            assert process.wait(PATIENCE_S) == 0, path.read_text()
    finally:
        process.kill()
        process.wait()
    assert LEFT.search(path.read_text()) is None
    assert pulse.stat().st_mode & 0o077 == 0  # as all that it keeps


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_the_simulated_devices_leave_too(tmp_path, env, stop_signal):
    from demo.estate import Addresses, write_site  # noqa: PLC0415

    shift = open_shift(tmp_path, datetime.now(UTC), None)
    addresses = Addresses.on_this_machine(
        tmp_path, gateway_port=free_port(), line_port=free_port(), broker="mqtt://devices:x@127.0.0.1:9"
    )
    write_site(tmp_path, shift, addresses)
    path = tmp_path / "log"
    with path.open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "demo.devices"], env=env("demo.devices"), stderr=log)
    try:
        until(lambda: "event=devices_ready" in path.read_text())
        process.send_signal(stop_signal)
        assert process.wait(PATIENCE_S) == 0
        assert LEFT.search(path.read_text()) is None
    finally:
        process.kill()
        process.wait()

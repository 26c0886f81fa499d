"""A private MQTT broker on loopback: Mosquitto where it is installed, else the bundled one."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from paho.mqtt.enums import MQTTErrorCode

from facility.broker_address import BrokerAddress
from facility.errors import ConfigError
from meterhouse.servers.broker_files import LISTEN, PROBE, passwords, write_iotcore, write_mosquitto
from process.log_file import bound_log
from process.mqtt import make_client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

    from meterhouse.servers.broker_files import TopicRights

Kind = Literal["mosquitto", "iotcore"]

SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"
"""Debian puts Mosquitto here, off an ordinary PATH."""

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
GREETING_S = 1.0
ATTEMPTS = 3
"""Between choosing a free port and binding it, somebody else may take it."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker. ``kind`` says which; only Mosquitto holds identities to their rights."""

    kind: Kind
    port: int
    process: subprocess.Popen[bytes]
    words: Mapping[str, str]
    log: Path

    def bound_log(self) -> None:
        """Keep what the broker says within bounds: a stranger who knocks is a line each time."""
        bound_log(self.log)

    def url_for(self, identity: str) -> str:
        """Address with the identity's own credentials: ``mqtt://edge-1:…@127.0.0.1:18830``."""
        return f"mqtt://{quote(identity, safe='')}:{quote(self.words[identity], safe='')}@{LISTEN}:{self.port}"

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the process; Mosquitto saves its sessions first. Safe to call twice."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        """Nothing to do: a broker is made running."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


def start_broker(
    folder: Path, identities: Mapping[str, TopicRights], *, port: int = 0, kind: Kind | None = None
) -> Broker:
    """Start a broker whose files live in ``folder``; it is proven to be ours before this returns.

    ``port`` 0 chooses a free one. ``kind`` None prefers Mosquitto. Raises ``ConfigError`` with one sentence.
    """
    program = find_mosquitto() if kind != "iotcore" else None
    if program is None and (kind == "mosquitto" or importlib.util.find_spec("iotcore") is None):
        raise ConfigError(
            "no MQTT broker: install mosquitto (apt install mosquitto), or the extra meterhouse[embedded]"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        words = passwords(folder, identities)
        for attempt in range(ATTEMPTS):
            broker = _start(folder, identities, words, program, port or _free_port())
            if _is_ours(broker):
                return broker
            broker.stop()
            if port or attempt == ATTEMPTS - 1:
                break
    except OSError as error:
        raise ConfigError(f"the broker cannot start in {folder}: {error.strerror or error}") from None
    raise ConfigError(f"the broker does not start on {LISTEN}:{broker.port}: {_last_line(folder)}")


def find_mosquitto() -> str | None:
    """The program, where it is installed."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=SYSTEM_FOLDERS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LISTEN, 0))
        port: int = probe.getsockname()[1]
        return port


def _start(
    folder: Path, identities: Mapping[str, TopicRights], words: Mapping[str, str], program: str | None, port: int
) -> Broker:
    if program:
        command = [program, "-c", str(write_mosquitto(folder, port, identities, words))]
    else:
        command = [sys.executable, "-m", "meterhouse.servers.embedded_broker", str(write_iotcore(folder, port, words))]
    path = folder / "broker.log"
    path.unlink(missing_ok=True)
    with path.open("ab") as log:  # appending, so that the file may be cut while the broker writes
        process = subprocess.Popen(  # noqa: S603 - our own words
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal is not for the broker: it goes last
        )
    return Broker("mosquitto" if program else "iotcore", port, process, words, path)


def _is_ours(broker: Broker) -> bool:
    """Whether the child lives and greets the probe's password: a stranger's broker on the port does not know it."""
    probe = BrokerAddress(LISTEN, broker.port, PROBE, broker.words[PROBE])
    deadline = time.monotonic() + START_TIMEOUT_S
    while broker.is_alive and time.monotonic() < deadline:
        if greets(probe) and broker.is_alive:
            return True
        time.sleep(0.05)
    return False


def greets(address: BrokerAddress) -> bool:
    """Whether the broker at an address takes its account's password, within a second."""
    answers: list[bool] = []
    client = make_client(address, address.user)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.append(not reason.is_failure)
    client.connect_timeout = GREETING_S
    try:
        client.connect(address.host, address.port)
    except OSError:
        return False
    until = time.monotonic() + GREETING_S
    while not answers and time.monotonic() < until and client.loop(0.05) == MQTTErrorCode.MQTT_ERR_SUCCESS:
        pass
    client.disconnect()
    return answers == [True]


def _last_line(folder: Path) -> str:
    lines = (folder / "broker.log").read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it says nothing")

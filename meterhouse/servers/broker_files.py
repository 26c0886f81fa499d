"""What a private broker reads at start: its accounts, who may say and hear what, and its limits."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.wire import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LISTEN = "127.0.0.1"
PROBE = "meterhouse-probe"
"""An account without any right: with it the starter proves that the broker is its own."""

MAX_PACKET_BYTES = 262_144
MAX_CONNECTIONS = 100
MAX_INFLIGHT = 500
MAX_QUEUED_BYTES = 256 * 1024 * 1024
PBKDF2_ROUNDS = 101  # Mosquitto's own default; the passwords are 256 random bits, stretching adds nothing


@dataclass(frozen=True, slots=True)
class TopicRights:
    """Topic filters that one identity may read and write; nothing else."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def agent_rights(agent: str) -> TopicRights:
    """An edge agent speaks for itself alone and hears what is meant for it."""
    return TopicRights((f"{PREFIX}/ack/{agent}", f"{PREFIX}/cmd/{agent}"), (f"{PREFIX}/up/{agent}/#",))


DROPPED = "$SYS/broker/publish/messages/dropped"
INGEST = TopicRights((f"{PREFIX}/up/#", DROPPED), (f"{PREFIX}/ack/#", f"{PREFIX}/accepted/#", f"{PREFIX}/cmd/#"))
LISTENER = TopicRights((f"{PREFIX}/accepted/#",))
OPERATOR = TopicRights((), (f"{PREFIX}/cmd/#",))


def demo_identities(agent: str, device_topics: Iterable[str]) -> dict[str, TopicRights]:
    """Everyone who speaks in the demo. ``device_topics`` are what the simulated MQTT devices say."""
    topics = tuple(device_topics)
    return {
        agent: agent_rights(agent),
        f"{agent}-devices": TopicRights(reads=topics),
        "devices": TopicRights(writes=topics),
        "ingest": INGEST,
        "analytics": LISTENER,
        "operator": OPERATOR,
    }


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def passwords(folder: Path, identities: Iterable[str]) -> dict[str, str]:
    """The password of every identity: made at first use, kept in ``folder`` for its owner alone."""
    path = folder / "passwords.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    wanted = {name: known.get(name) or secrets.token_urlsafe(32) for name in (*identities, PROBE)}
    if not wanted.keys() <= known.keys():
        write_private(path, json.dumps(known | wanted))
    return wanted


def write_mosquitto(folder: Path, port: int, identities: Mapping[str, TopicRights], words: Mapping[str, str]) -> Path:
    """Write configuration, password file and access list of Mosquitto; return the configuration's path."""
    write_private(folder / "mosquitto.passwd", "".join(f"{account_line(n, w)}\n" for n, w in words.items()))
    write_private(folder / "mosquitto.acl", "\n".join(_access(n, r) for n, r in identities.items()))
    settings = [
        "per_listener_settings true",
        *(["user root"] if os.geteuid() == 0 else []),  # else Mosquitto changes to an account that cannot read this
        f"listener {port} {LISTEN}",
        f"max_connections {MAX_CONNECTIONS}",
        "allow_anonymous false",
        "use_username_as_clientid true",  # else any account can take over another's session
        f"password_file {folder / 'mosquitto.passwd'}",
        f"acl_file {folder / 'mosquitto.acl'}",
        "set_tcp_nodelay true",
        f"max_packet_size {MAX_PACKET_BYTES}",
        f"max_inflight_messages {MAX_INFLIGHT}",
        "max_queued_messages 0",  # bounded by bytes: 1,000 small messages are lost in silence otherwise
        f"max_queued_bytes {MAX_QUEUED_BYTES}",
        "persistent_client_expiration 14d",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 60",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    path = folder / "mosquitto.conf"
    path.write_text("\n".join(settings) + "\n", encoding="utf-8")
    return path


def write_iotcore(folder: Path, port: int, words: Mapping[str, str]) -> Path:
    """Write the configuration of the embedded broker: accounts, no access list (it has none)."""
    accounts = "\n".join(f"{json.dumps(name)} = {json.dumps(word)}" for name, word in words.items())
    path = folder / "iotcore.toml"
    write_private(
        path,
        f"""\
id = 0

[router]
id = 0
max_connections = {MAX_CONNECTIONS}
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10

[v5.1]
name = "meterhouse"
listen = "{LISTEN}:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = {MAX_PACKET_BYTES}
max_inflight_count = {MAX_INFLIGHT}
dynamic_filters = true

[v5.1.connections.auth]
{accounts}
""",
    )
    return path


def account_line(name: str, password: str) -> str:
    """A line of Mosquitto's password file, whose ``$7$`` is PBKDF2 with SHA-512: mosquitto_passwd need not be there."""
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PBKDF2_ROUNDS)
    return f"{name}:$7${PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _access(identity: str, rights: TopicRights) -> str:
    lines = [f"user {identity}", *(f"topic read {topic}" for topic in rights.reads)]
    lines += [f"topic write {topic}" for topic in rights.writes]
    return "\n".join(lines) + "\n"

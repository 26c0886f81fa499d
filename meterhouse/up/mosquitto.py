"""What the broker of a server reads: one listener, with TLS alone; accounts; who may say and hear what; its limits.

Names of files are relative to the folder that Mosquitto is started in, so that a container, a service manager and
``meterhouse up`` use the same text.
"""

from __future__ import annotations

from facility.wire import PREFIX
from meterhouse.servers.broker_files import INGEST, LISTENER, MAX_INFLIGHT, MAX_PACKET_BYTES, OPERATOR, PROBE

CONFIGURATION, ACCOUNTS, RIGHTS = "mosquitto.conf", "accounts", "rights"
CERTIFICATE, KEY, AUTHORITY = "server.pem", "server.key", "ca.pem"
ASKER = "probe/mosquitto_pub"
"""What mosquitto_pub(1) is told when it asks whether the broker is well: XDG_CONFIG_HOME is the folder of this."""

KEPT = "kept"
"""The folder of sessions and what waits for them."""

PORT = 8883
MOST_CONNECTIONS = 2_000
MOST_QUEUED_BYTES = 64 * 1024 * 1024
MOST_MEMORY_BYTES = 1024 * 1024 * 1024

INGESTS = ("ingest", "ingest-2", "ingest-3", "ingest-4")
"""One identity for each process that takes readings in: two with one name would end each other's session."""

SERVERS = {**dict.fromkeys(INGESTS, INGEST), "analytics": LISTENER, "operator": OPERATOR}
"""Accounts of the server's own processes; every other account is an agent's."""

RESERVED = frozenset({*SERVERS, PROBE})


def configuration(address: str = "", port: int = PORT, account: str = "") -> str:
    """The text of ``mosquitto.conf``; without an ``address`` it listens on all, ``account`` is whose it becomes."""
    return f"""\
# The broker of a Meterhouse server (Mosquitto 2.0). Written by Meterhouse; changes are lost.
per_listener_settings true
{f"user {account}" if account else "# it runs as whoever starts it, who is never root"}

# Nothing is heard without TLS and an account.
{f"listener {port} {address}".rstrip()}
certfile {CERTIFICATE}
keyfile {KEY}
tls_version tlsv1.2
allow_anonymous false
password_file {ACCOUNTS}
acl_file {RIGHTS}
use_username_as_clientid true

# No client takes more than it needs.
max_connections {MOST_CONNECTIONS}
max_keepalive 600
max_packet_size {MAX_PACKET_BYTES}
max_inflight_messages {MAX_INFLIGHT}
max_queued_messages 0
max_queued_bytes {MOST_QUEUED_BYTES}
memory_limit {MOST_MEMORY_BYTES}
persistent_client_expiration 14d
set_tcp_nodelay true

# Readings are never kept for whoever comes later.
retain_available false

# Sessions, and what waits for them, are there after a restart.
persistence true
persistence_location {KEPT}/
autosave_interval 60

log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
"""


def rights() -> str:
    """The text of the access list: an agent speaks for itself alone, and hears what is meant for it."""
    lines = [
        "# Who may say and hear what; nothing else is allowed. Written by Meterhouse; changes are lost.",
        "# An agent is its account (%u): it speaks for itself alone, and hears what is meant for it.",
        f"pattern write {PREFIX}/up/%u/#",
        f"pattern read {PREFIX}/ack/%u",
        f"pattern read {PREFIX}/cmd/%u",
    ]
    for name, granted in SERVERS.items():
        lines += ["", f"user {name}", *(f"topic read {topic}" for topic in granted.reads)]
        lines += [f"topic write {topic}" for topic in granted.writes]
    return "\n".join(lines) + "\n"

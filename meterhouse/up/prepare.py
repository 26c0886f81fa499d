"""What must lie in a server's folder before a process starts; done again, it changes only what must change."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from facility.errors import ConfigError
from meterhouse.servers.broker_files import PROBE, account_line, passwords
from meterhouse.settings import Settings
from meterhouse.store_setup import prepare_store
from meterhouse.up import mosquitto
from meterhouse.up.certificates import CertificateFiles, check_given, make_sure
from meterhouse.up.folder import say_version
from meterhouse.up.names import OWN
from meterhouse.up.private_file import write_if_new, write_whole
from meterhouse.up.settings_file import PROCESSES
from stores.readings import open_readings
from stores.records.database import open_records
from stores.records.registry import Registry
from stores.site_file import read_site
from stores.site_plan import apply_site, plan_site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from facility.catalogue import Catalogue
    from meterhouse.up.settings import UpSettings

SITE = "site.yaml"


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """What lies where in the data folder of a server."""

    path: Path

    @property
    def certificates(self) -> CertificateFiles:
        """The authority, and the certificate of console and broker."""
        return CertificateFiles(self.path / "secrets")

    @property
    def broker(self) -> Path:
        """Where Mosquitto runs."""
        return self.path / "broker"

    @property
    def agents(self) -> Path:
        """Accounts of agents, as digests: their passwords are known to them alone."""
        return self.path / "secrets" / "agents.json"

    @property
    def environments(self) -> Path:
        """What each process is told, for service managers and containers."""
        return self.path / PROCESSES

    @property
    def site(self) -> Path:
        """The estate's document."""
        return self.path / SITE


def prepare(folder: ServerFolder, settings: UpSettings, now: datetime) -> None:
    """Make and renew what a server needs. Raises ``ConfigError`` before anything is changed where it can be known."""
    stores = Settings(data=folder.path, store=settings.store, records=settings.records)
    estate = read_site(folder.site, stores.known_profiles()) if folder.site.exists() else None
    if settings.cert and settings.key:
        check_given(settings.cert, settings.key, now)
    say_version(folder.path)
    site = _apply(stores, estate, now)
    renew(folder, settings, site.site.name.en if site else "Meterhouse", now)
    write_broker_files(folder, settings)
    for name, environment in environments(folder, settings).items():
        lines = [f"{key}={value}" for key, value in environment.items()]
        write_if_new(folder.environments / f"{name}.env", "\n".join(lines) + "\n")


def renew(folder: ServerFolder, settings: UpSettings, site: str, now: datetime) -> bool:
    """Make or renew the certificates, and lay the broker's where it reads them; whether anything was made."""
    files = folder.certificates
    made = make_sure(files, site, (*OWN, *settings.names), now, settings.found)
    own = (files.ca, mosquitto.AUTHORITY)
    for ours, theirs in (own, (files.key, mosquitto.KEY), (files.certificate, mosquitto.CERTIFICATE)):
        write_if_new(folder.broker / theirs, ours.read_text(encoding="ascii"))
    return made


def write_broker_files(folder: ServerFolder, settings: UpSettings) -> None:
    """Write Mosquitto's configuration, accounts and rights."""
    host, port = settings.broker_place
    (folder.broker / mosquitto.KEPT).mkdir(parents=True, exist_ok=True)
    write_if_new(folder.broker / mosquitto.CONFIGURATION, mosquitto.configuration(host, port, own_account()))
    write_if_new(folder.broker / mosquitto.RIGHTS, mosquitto.rights())
    words = server_passwords(folder)
    agents = read_agents(folder)
    known = _accounts(folder.broker / mosquitto.ACCOUNTS)
    lines = [known.get(name) or account_line(name, word) for name, word in words.items()]
    asked = f"-h localhost\n-p {port}\n--cafile {folder.broker / mosquitto.AUTHORITY}\n-u {PROBE}\n-P {words[PROBE]}\n"
    write_if_new(folder.broker / mosquitto.ASKER, asked)
    write_if_new(folder.broker / mosquitto.ACCOUNTS, "\n".join([*lines, *agents.values()]) + "\n")


def server_passwords(folder: ServerFolder) -> dict[str, str]:
    """The passwords of the server's own processes, made at the first start."""
    return passwords(folder.path / "secrets", mosquitto.SERVERS)


def read_agents(folder: ServerFolder) -> dict[str, str]:
    """Agent → its line in the broker's accounts. Raises ``ConfigError``."""
    if not folder.agents.exists():
        return {}
    try:
        agents: dict[str, str] = json.loads(folder.agents.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder.agents} cannot be read: {error}") from None
    return agents


def write_agents(folder: ServerFolder, agents: Mapping[str, str]) -> None:
    """Keep the accounts of agents."""
    write_whole(folder.agents, json.dumps(dict(agents)))


def environments(folder: ServerFolder, settings: UpSettings) -> dict[str, dict[str, str]]:
    """Process → what it is told beside what everybody is."""
    stores = Settings(data=folder.path, store=settings.store, records=settings.records)
    shared = {
        "METERHOUSE_DATA": str(folder.path),
        "METERHOUSE_STORE": stores.store_url,
        "METERHOUSE_RECORDS": stores.records_url,
        "METERHOUSE_LOG_LEVEL": settings.log_level,
    }
    files = folder.certificates
    console = {
        "METERHOUSE_LISTEN": settings.listen,
        "METERHOUSE_HOSTS": settings.answered,
        "METERHOUSE_CERT": str(settings.cert or files.certificate),
        "METERHOUSE_KEY": str(settings.key or files.key),
        "METERHOUSE_CA": "" if settings.cert else str(files.ca),
    }
    return {
        "ingest": {
            **shared,
            "METERHOUSE_BROKER": broker_url(folder, settings, "ingest"),
            "METERHOUSE_BROKER_RIGHTS": "checked",
        },
        "analytics": {
            **shared,
            "METERHOUSE_BROKER": broker_url(folder, settings, "analytics"),
            "METERHOUSE_CONSOLE_URL": settings.console_page,
        },
        "console": {**shared, **console},
    }


def broker_url(folder: ServerFolder, settings: UpSettings, account: str) -> str:
    """How a process of the server reaches the broker: by TLS, with its own account."""
    if settings.broker:
        return settings.broker
    here, port = settings.broker_from_here
    word, ca = server_passwords(folder)[account], quote(str(folder.certificates.ca), safe="/")
    return f"mqtts://{account}:{quote(word, safe='')}@{f'[{here}]' if ':' in here else here}:{port}?ca={ca}"


def own_account() -> str:
    """What ``user`` says in Mosquitto's configuration: started by root it would become one that reads nothing here."""
    return "root" if os.geteuid() == 0 else ""


def _apply(stores: Settings, estate: Catalogue | None, now: datetime) -> Catalogue | None:
    """Apply the estate where the registry has none yet; later only ``meterhouse site apply`` changes it."""
    registry = Registry(open_records(stores.records_url))
    if estate is not None and registry.version() == 0:
        prepare_store(stores.store_url, estate.site.id, round(now.timestamp() * 1000))
        plan = plan_site(registry, estate, now)
        apply_site(registry, plan, partial(open_readings, stores.store_url), by="init", now=now, accept=False)
        return estate
    return estate


def _accounts(path: Path) -> dict[str, str]:
    """Account → its line, of a file that is there already: so that a file that says the same stays as it is."""
    if not path.exists():
        return {}
    return {line.partition(":")[0]: line for line in path.read_text(encoding="utf-8").splitlines() if ":" in line}

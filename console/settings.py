"""What can be set for the console, by environment variables that start with METERHOUSE_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from facility.errors import ConfigError, Problem
from facility.host import is_loopback
from process.settings import ProcessSettings

LISTEN = "METERHOUSE_LISTEN"


class ConsoleSettings(ProcessSettings):
    """Where the estate is kept and where pages are served."""

    store: str = Field(repr=False, examples=["sqlite:///var/lib/meterhouse/readings.db"])
    records: str = Field(repr=False, examples=["sqlite:////var/lib/meterhouse/records.db"])
    data: Path | None = None
    listen: str = "127.0.0.1:8080"
    allow_remote: bool = False
    hosts: str = ""
    cert: Path | None = None
    """The certificate, with whom it was signed by after it, by which pages are served with TLS."""

    key: Path | None = None
    """Its key, which has no password."""

    ca: Annotated[Path | None, BeforeValidator(lambda given: given or None)] = None
    """The authority of the site's own that signed it, if it did: pages offer it to phones."""

    session_hours: Annotated[float, Field(gt=0, le=24 * 90)] = 12.0
    idle_minutes: Annotated[float, Field(gt=0, le=60 * 24)] = 30.0
    """After so long without an act or a page that they asked for, a person signs in again."""

    second_factor: Literal["administrators", "nobody"] = "administrators"
    """Whose roles hold only once they have shown a code of their phone; ``nobody`` is for trials."""

    oidc_issuer: Annotated[str, Field(examples=["https://id.example/realms/site"])] = ""
    """The provider that vouches for people, by OpenID Connect; empty: none does."""

    oidc_client: str = ""
    """As what the provider knows this console."""

    oidc_secret_file: Annotated[Path | None, BeforeValidator(lambda given: given or None)] = None
    """The file with the secret that the provider gave for it, ours alone; none where it is a public client."""

    oidc_name: str = ""
    """What the button says; the provider's host unless something is said."""

    grafana_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$", examples=["https://grafana.example"])] = ""
    """Where a browser reaches Grafana; pages lead to the dashboards there. Empty: no page speaks of it."""

    mailbox: Annotated[Path | None, BeforeValidator(lambda given: given or None)] = None
    """The folder of a demo's letters, which a page shows whole to who runs the server; without it there is no page."""

    backup: str = ""
    """The folder of backups, of which the page of the server tells."""

    metrics: str = ""
    """Where to answer ``/metrics`` and ``/health``, ``127.0.0.1:9465`` say; empty: nowhere."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on. Raises ``ConfigError`` for anything else, and for a host beyond loopback."""
        host, _, port = self.listen.rpartition(":")
        host = host.strip("[]")
        if not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the highest port
            raise ConfigError(Problem(LISTEN, f"'{self.listen}' is no host:port", "127.0.0.1:8080"))
        if not is_loopback(host) and not self.allow_remote and self.cert is None:
            how = "METERHOUSE_CERT and METERHOUSE_KEY, a proxy with TLS in front of 127.0.0.1, or else"
            how += " METERHOUSE_ALLOW_REMOTE=yes"
            raise ConfigError(Problem(LISTEN, f"other machines can reach '{self.listen}'", how))
        return host, int(port)

    @property
    def host_names(self) -> tuple[str, ...]:
        """Values of the Host header that are answered; METERHOUSE_HOSTS adds names, separated by commas."""
        host, port = self.address
        own = {"127.0.0.1", "localhost", f"[{host}]" if ":" in host else host}
        more = {name.strip() for name in self.hosts.split(",") if name.strip()}
        return tuple(sorted({f"{name}:{port}" for name in own} | more))

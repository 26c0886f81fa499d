"""Where a command finds the estate's stores: the data folder, or the URLs that override it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from facility.errors import ConfigError, Problem
from process.settings import EnvironmentSettings

DEFAULT_DATA = Path("meterhouse-data")


class Settings(EnvironmentSettings):
    """Settings of the command line, from the environment (``METERHOUSE_DATA`` and so on)."""

    data: Path = DEFAULT_DATA
    store: str = Field(default="", repr=False)
    records: str = Field(default="", repr=False)

    health: str = ""
    """``host:port`` of processes that are asked where the records cannot be read, separated by commas; those of this
    machine that use the data folder are found without."""

    @property
    def health_urls(self) -> list[str]:
        """Where those answer."""
        return [f"http://{one.strip()}/health" for one in self.health.split(",") if one.strip()]

    def make_folder(self) -> None:
        """Make the data folder where it is not there. Raises ``ConfigError`` where it cannot be."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"the folder {self.data} cannot be made: {error.strerror}"
            raise ConfigError(Problem("METERHOUSE_DATA", what)) from None

    @property
    def store_url(self) -> str:
        """URL of the reading store; by default a file in the data folder."""
        return self.store or f"sqlite://{(self.data / 'readings.db').absolute()}"

    @property
    def records_url(self) -> str:
        """SQLAlchemy URL of the records; by default a file in the data folder."""
        return self.records or f"sqlite:///{(self.data / 'records.db').absolute()}"


class GrafanaSettings(EnvironmentSettings):
    """The Grafana that dashboards are pushed to."""

    grafana_url: str = ""
    """Where it answers, as ``--url`` says it."""

    grafana_token: str = Field(default="", repr=False)
    """Of a service account with the role Admin; never an option, for a command line can be read by all."""

    grafana_store: str = Field(default="", repr=False)
    """The InfluxDB as Grafana reaches it, with an account that may only read."""

"""Where a command finds the estate's stores: the data folder, or the URLs that override it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic_settings import InitSettingsSource

from facility.errors import ConfigError, Problem
from meterhouse.up.settings_file import NAME as SETTINGS_FILE
from meterhouse.up.settings_file import read_settings_file
from process.privacy import check_private
from process.settings import PREFIX, EnvironmentSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

    from facility.profile import DeviceProfile

DEFAULT_DATA = Path("meterhouse-data")


class Settings(EnvironmentSettings):
    """Settings of the command line, from the environment (``METERHOUSE_DATA`` and so on)."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's own names
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the caller says, then the environment, then the settings file of the data folder."""
        folder = {**env_settings(), **init_settings()}.get("data", DEFAULT_DATA)
        said = read_settings_file(Path(folder) / SETTINGS_FILE)
        values = {name.removeprefix(PREFIX).lower(): value for name, (_, value) in said.items()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, values)

    data: Path = DEFAULT_DATA
    store: str = Field(default="", repr=False)
    records: str = Field(default="", repr=False)
    notify: str = Field(default="", repr=False)
    console_url: str = ""
    """Where people open the console."""

    shown_store: str = Field(default="", repr=False)

    profiles: Path | None = None
    """A folder of the site's own device profiles, ``maker/model.yaml``, beside those that are shipped."""

    audit_checkpoints: str = ""
    """Where checkpoints of the audit trail are shipped: the file is what ``audit verify`` holds it against."""

    health: str = ""
    """``host:port`` of processes that are asked where the records cannot be read, separated by commas; those of this
    machine that use the data folder are found without."""

    @property
    def health_urls(self) -> list[str]:
        """Where those answer."""
        return [f"http://{one.strip()}/health" for one in self.health.split(",") if one.strip()]

    def known_profiles(self) -> Mapping[str, DeviceProfile]:
        """Every device profile: those that are shipped, and the site's own. Raises ``ConfigError``."""
        from device_profiles import load_profiles  # noqa: PLC0415 - few commands need them, all read settings

        return load_profiles(self.profiles)

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
        """SQLAlchemy URL of the records; by default a file in the data folder, which others may not change."""
        check_private(self.data)
        return self.records_looked_at

    @property
    def records_looked_at(self) -> str:
        """The same, also of a folder that others may change: for who says so."""
        return self.records or f"sqlite:///{(self.data / 'records.db').absolute()}"


class GrafanaSettings(EnvironmentSettings):
    """The Grafana that dashboards are pushed to."""

    grafana_url: str = ""
    """Where it answers, as ``--url`` says it."""

    grafana_token: str = Field(default="", repr=False)
    """Of a service account with the role Admin; never an option, for a command line can be read by all."""

    grafana_store: str = Field(default="", repr=False)
    """The InfluxDB as Grafana reaches it, with an account that may only read."""

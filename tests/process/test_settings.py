from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from analytics.settings import AnalyticsSettings
from console.settings import ConsoleSettings
from demo.devices.settings import DeviceSettings
from edge_agent.settings import EdgeSettings
from facility.errors import ConfigError
from ingest.settings import IngestSettings
from process.settings import ProcessSettings, read_settings


class Example(ProcessSettings):
    folder: Path = Field(examples=["/var/lib/example"])
    share: float = Field(default=0.5, gt=0, le=1)
    number: Annotated[int, Field(ge=2)] = 3
    word: Literal["live", "backlog"] = "live"
    address: str = Field(default="", repr=False, max_length=3)
    place: Path | None = None


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("FOLDER", None, "is not set (allowed: a path, such as /var/lib/example)"),
        ("SHARE", "2", "'2' cannot be used (allowed: a number above 0 and at most 1)"),
        ("SHARE", "much", "'much' cannot be used (allowed: a number above 0 and at most 1)"),
        ("NUMBER", "1.5", "'1.5' cannot be used (allowed: a whole number at least 2)"),
        ("WORD", "dead", "'dead' cannot be used (allowed: live, backlog)"),
        ("LOG_LEVEL", "loud", "'loud' cannot be used (allowed: debug, info, warning)"),
        ("ADDRESS", "secret", "cannot be used (allowed: a text)"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed_and_without_secrets(monkeypatch, name, given, sentence):
    monkeypatch.setenv("METERHOUSE_FOLDER", "/here")
    if given is None:
        monkeypatch.delenv(f"METERHOUSE_{name}")
    else:
        monkeypatch.setenv(f"METERHOUSE_{name}", given)
    with pytest.raises(ConfigError) as raised:
        read_settings(Example)
    assert str(raised.value) == f"METERHOUSE_{name}: {sentence}"


def test_everything_that_is_wrong_is_told_at_once(monkeypatch):
    monkeypatch.setenv("METERHOUSE_SHARE", "9")
    with pytest.raises(ConfigError) as raised:
        read_settings(Example)
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("settings", [AnalyticsSettings, ConsoleSettings, DeviceSettings, EdgeSettings, IngestSettings])
def test_every_setting_stands_in_the_docs(settings):
    page = (Path(__file__).parents[2] / "docs" / "processes.md").read_text(encoding="utf-8")
    missing = [name for name in settings.model_fields if f"`METERHOUSE_{name.upper()}`" not in page]
    assert missing == []

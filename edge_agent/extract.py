"""The agent's site.yaml: what it reads, cut to the one agent that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.documents.site import load_site
from facility.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from facility.catalogue import Catalogue
    from facility.profile import DeviceProfile


def read_extract(site: Path, agent: str, profiles: Mapping[str, DeviceProfile]) -> Catalogue:
    """The part of a site file that is the agent's. Raises ``ConfigError`` for a wrong file, and for no such agent."""
    try:
        text = site.read_text(encoding="utf-8")
    except OSError as error:
        allowed = "a file that METERHOUSE_SITE names"
        raise ConfigError(Problem(str(site), f"cannot be read: {error.strerror}", allowed)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(Problem(str(site), f"is not UTF-8 text (byte {error.start})")) from None
    catalogue = load_site(text, str(site), profiles, reader="agent")
    if agent not in catalogue.agent:
        raise ConfigError(f"{site}: no agent '{agent}' (allowed: {', '.join(catalogue.agent) or 'none'})")
    return catalogue.part_for(agent)

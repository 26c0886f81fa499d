"""The estate under fire: twelve water meters on one agent, one foreign meter on another, and who may speak."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chaos.readings import METERS

from device_profiles import load_profiles
from facility.documents.site import load_site
from meterhouse.servers.broker_files import INGEST, agent_rights
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

SITE, AGENT, OTHER_AGENT = "proof", "edge-1", "edge-2"
IDENTITIES = {AGENT: agent_rights(AGENT), OTHER_AGENT: agent_rights(OTHER_AGENT), "ingest": INGEST}

HEAD = """\
version: 1
site: {{id: {site}, name: Proving ground, timezone: UTC, currency: EUR}}
buildings:
  - {{id: hall, name: Hall}}
agents:
  - {{id: {agent}, buses: [{{id: gateway, url: "modbus+tcp://127.0.0.1:{port}"}}]}}
  - {{id: {other}, buses: [{{id: gateway, url: "modbus+tcp://127.0.0.1:1"}}]}}
meters:
"""
METER = (
    "  - {{id: {id}, name: {id}, building: hall, profile: generic/pulse-water, agent: {agent}, bus: gateway,"
    " unit: {unit}, utility: water, poll_s: 1}}\n"
)


def write_estate(path: Path, gateway_port: int) -> None:
    """The site document that the agent reads."""
    lines = [METER.format(id=f"m{i}", agent=AGENT, unit=i + 1) for i in range(METERS)]
    lines.append(METER.format(id="far", agent=OTHER_AGENT, unit=1))
    path.write_text(
        HEAD.format(site=SITE, agent=AGENT, other=OTHER_AGENT, port=gateway_port) + "".join(lines), encoding="utf-8"
    )


def apply_estate(path: Path, records: str) -> None:
    """Make it known to ingest."""
    catalogue = load_site(path.read_text(encoding="utf-8"), str(path), load_profiles())
    engine = open_records(records)
    Registry(engine).apply(catalogue, by="chaos", at=datetime.now(UTC))
    engine.dispose()

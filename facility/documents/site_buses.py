"""The agents of a site.yaml, their buses, and which devices may be on them: what an agent would refuse at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from facility.catalogue import Agent, Bus
from facility.errors import ConfigError
from facility.protocols import SCHEMES, check_bus, check_protocol, check_unit, has_named_units
from facility.protocols.sharing import ALLOWED_SHARING, MeterPlace, unsaid_sharing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from facility.documents.part import Document, Place
    from facility.documents.site_schema import SiteDocument
    from facility.profile import DeviceProfile


def read_agents(document: Document, body: SiteDocument) -> tuple[Agent, ...]:
    """The agents with their buses; a URL that names no bus of its protocol is reported."""
    agents = tuple(Agent(a.id, tuple(Bus(b.id, b.url, b.timeout_s) for b in a.buses)) for a in body.agents)
    for i, agent in enumerate(agents):
        for j, bus in enumerate(agent.buses):
            try:
                check_bus(bus)
            except ConfigError as error:
                _report(document, ("agents", i, "buses", j, "url"), error)
    return agents


def check_devices(
    document: Document,
    body: SiteDocument,
    profiles: Mapping[str, DeviceProfile],
    *,
    names: Literal["checked", "as_written"],
) -> None:
    """Report every meter that cannot be on its bus, or not at its address; one without a bus is told elsewhere."""
    buses = {(a.id, b.id): Bus(b.id, b.url) for a in body.agents for b in a.buses}
    for i, meter in enumerate(body.meters):
        bus, profile = buses.get((meter.agent, meter.bus)), profiles.get(meter.profile)
        if bus is None or profile is None or bus.scheme not in SCHEMES:
            continue
        place: Place = ("meters", i, "bus")
        try:
            check_protocol(bus, profile)
            place = ("meters", i, "unit")
            if names == "checked" or not has_named_units(bus):
                check_unit(bus, meter.unit)
        except ConfigError as error:
            _report(document, place, error)
    if names == "checked":
        _check_sharing(document, body, buses)


def _check_sharing(document: Document, body: SiteDocument, buses: Mapping[tuple[str, str], Bus]) -> None:
    """Report meters at the address of another that do not say so."""
    known = {m.id: (i, m, buses[m.agent, m.bus]) for i, m in enumerate(body.meters) if (m.agent, m.bus) in buses}
    places = (MeterPlace(m.id, m.agent, bus, m.unit, m.shares_device) for _, m, bus in known.values())
    for meter, other in unsaid_sharing(places).items():
        i, part, _ = known[meter]
        document.report(("meters", i, "unit"), f"unit '{part.unit}' is that of meter {other}", ALLOWED_SHARING)


def _report(document: Document, place: Place, error: ConfigError) -> None:
    """A refusal at its line; which bus it is about stands there."""
    for problem in error.problems:
        what, allowed = (problem, "") if isinstance(problem, str) else (problem.what, problem.allowed)
        document.report(place, what, allowed)

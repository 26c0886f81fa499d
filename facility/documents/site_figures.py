"""What must stand in a site.yaml so that its figures come out whole: nothing stops an agent, much would be left out."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from facility.building_use import BuildingUse
from facility.documents.part import DocumentPart
from facility.documents.site_schema import NamePart
from facility.errors import quoted
from facility.quantities import ACCOUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from facility.documents.part import Document, Place
    from facility.documents.site_schema import BuildingPart, SiteDocument
    from facility.model import Point

NO_ZONES = {"localtime", "Factory", "posix", "posixrules", "right"}
"""What a machine's folder of zones holds beside zones: its own, none, and zones whose clocks count leap seconds."""

MIDNIGHT = "00:00"


def check_figures(document: Document, body: SiteDocument, points: Sequence[Sequence[Point]]) -> None:
    """Report what nobody could name, account or believe: uses and names of nothing, ranges of nothing.

    ``points`` are those of each meter, in the order of the document.
    """
    _check_estate(document, body)
    utility_of = {quantity: utility for utility, quantity in ACCOUNTED.items()}
    for i, (meter, own) in enumerate(zip(body.meters, points, strict=True)):
        counted = [point.quantity for point in own if point.quantity in utility_of]
        if meter.utility is None and counted:
            what = f"'utility' is missing: nobody would account the {counted[0].word} of {meter.id}"
            document.report(("meters", i), what, list(dict.fromkeys(utility_of[one] for one in counted)))
        _check_ranges(document, i, own)


def _check_estate(document: Document, body: SiteDocument) -> None:
    """Report what is wrong beside the meters."""
    if body.site.timezone.partition("/")[0] in NO_ZONES:
        document.report(
            ("site", "timezone"), f"'{body.site.timezone}' is another zone elsewhere", "such as Asia/Shanghai"
        )
    if not body.buildings:
        document.report(("buildings",), "buildings is empty", "at least 1")
    for place in _nameless(body, ()):
        document.report(place, "a name is empty", "what people call it")
    for i, agent in enumerate(body.agents):
        for j, bus in enumerate(agent.buses):
            _check_url(document, ("agents", i, "buses", j, "url"), bus.url)
    for i, building in enumerate(body.buildings):
        _check_building(document, i, building)
    for i, closure in enumerate(body.site.holidays.closures):
        if closure.last < closure.first:
            place = ("site", "holidays", "closures", i, "last")
            document.report(place, f"{closure.last} lies before {closure.first}", "the first day or a later one")


def _check_url(document: Document, place: Place, url: str) -> None:
    """Report what a bus's URL says to nobody, and an address that is none. What may be a password is not repeated."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # that it names no bus is told elsewhere
        return
    is_modbus, example = parts.scheme.startswith("modbus"), f"{parts.scheme}://host:port"
    if not host or parts.path.startswith("/dev/"):
        return
    query = parts.query if is_modbus and parts.scheme != "modbus+tls" else ""
    idle = [parts.path.strip("/"), parts.fragment, query, *((parts.username,) if is_modbus else ())]
    if any(idle):
        document.report(place, "the URL says more than is read there", example)
    if host.replace(".", "").isdecimal() and not _is_address(host):
        document.report(place, f"{quoted(host)} is no IPv4 address", example)


def _is_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _check_building(document: Document, i: int, building: BuildingPart) -> None:
    """Report a use that has no name in any language, and armed hours that end as they begin."""
    if building.use not in set(BuildingUse):
        document.report(("buildings", i, "use"), f"unknown use '{building.use}'", BuildingUse)
    for days, span in building.armed.items():
        begin, _, end = span.partition("-")
        if begin == end != MIDNIGHT:
            allowed = f"{MIDNIGHT}-{MIDNIGHT} for all day, or an end that differs"
            document.report(("buildings", i, "armed", days), f"'{span}' ends as it begins", allowed)


def _check_ranges(document: Document, i: int, own: Sequence[Point]) -> None:
    """Report a range of plausible values in which none lies."""
    for j, point in enumerate(own):
        low, high = point.range
        if low >= high:
            what = f"nothing lies between low {low:g} and high {high:g}"
            document.report(
                ("meters", i, "points", j, "high"), what, f"{point.quantity.low:g} to {point.quantity.high:g}"
            )


def _nameless(part: DocumentPart, place: Place) -> Iterator[Place]:
    """Where in a document a name without a letter stands."""
    for key, value in part:
        for step, one in enumerate(value if isinstance(value, list) else [value]):
            here = (*place, key, step) if isinstance(value, list) else (*place, key)
            if isinstance(one, NamePart):
                blank = "en" if not one.en.strip() else "zh" if one.zh and not one.zh.strip() else ""
                if blank:
                    yield (*here, blank)
            elif isinstance(one, DocumentPart):
                yield from _nameless(one, here)

"""What is written from the profiles: their JSON schema for editors, and the page of supported devices."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from pydantic.json_schema import models_json_schema

from facility.model import TOTAL
from facility.profile import ProofStep
from facility.protocols import PROTOCOLS
from facility.so_many import so_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from facility.profile import DeviceProfile, ProfilePoint

_PAGE = """\
# Supported devices

Written from `device_profiles/` by `device_profiles/generated.py`; do not edit. Each model is one YAML file with its
sources and examples, and the tests decode every example. Quantities in *italics* are read only where `site.yaml` asks
for them. "No value" is what a register holds where the device has none to give: codes that a document publishes, else
the default of the register's type (x is any digit; all ones of a signed number only where it cannot be negative).
"Proof" is the step of a ladder: *claimed* by one secondary source; *listed* in a document of the maker or in two
independent sources that agree; *verified* by what a real device said; *proven* on site beside its display.
"Not confirmed" is what no document of the maker settled: compare first readings with the device's display.

{counts}

{table}
"""


def schema_text() -> str:
    """The JSON schema of a profile file, for editors that complete and check YAML."""
    each, definitions = models_json_schema([(rules.document, "validation") for rules in PROTOCOLS.values()])
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "oneOf": list(each.values()), **definitions}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def supported_devices_text(profiles: Mapping[str, DeviceProfile]) -> str:
    """The page that lists every model, what it says, what proves it and what is not confirmed."""
    head = ["Maker", "Model", "Proof", "Protocol", "Quantities", "No value", "Source", "Not confirmed"]
    rows = [head, ["---"] * len(head), *(_row(profiles[id_]) for id_ in sorted(profiles))]
    standings = Counter(profile.standing for profile in profiles.values())
    counts = ", ".join(f"{standings[one]} {one}" for one in reversed(ProofStep) if standings[one])
    makers = so_many(len({id_.partition("/")[0] for id_ in profiles}), "maker")
    counts = f"{so_many(len(profiles), 'model')} of {makers}: {counts}."
    return _PAGE.format(counts=counts, table="\n".join("| " + " | ".join(row) + " |" for row in rows))


def _row(profile: DeviceProfile) -> list[str]:
    maker, _, model = profile.id.partition("/")
    link = f"[{model}](../device_profiles/{profile.id}.yaml): {profile.name}"
    sources = (f"{s.document}, {s.version}: {s.section}{' (secondary)' * s.secondary}" for s in profile.sources)
    said = [profile.standing, profile.protocol, _quantities(profile), _lines(profile.no_value())]
    cells = [maker, link, *said, _lines(sources), _lines(profile.unconfirmed)]
    return [cell.replace("|", "\\|") for cell in cells]


def _quantities(profile: DeviceProfile) -> str:
    """``active_power, *voltage (l1, l2, l3)*``: one word per quantity, with its channels if it has any."""
    wanted = _words([point for point in profile.points if not point.optional])
    offered = _words([point for point in profile.points if point.optional])
    return ", ".join([*wanted, *(f"*{word}*" for word in offered)])


def _words(points: Iterable[ProfilePoint]) -> list[str]:
    channels: dict[str, list[str]] = {}
    for point in points:
        channels.setdefault(point.quantity.word, []).append(point.channel)
    return [word if names == [TOTAL] else f"{word} ({', '.join(names)})" for word, names in channels.items()]


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(texts) or "–"

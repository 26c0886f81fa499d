"""What a dashboard says in one language: texts by id, names of buildings and meters, and its addresses there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.model import MeterRole
from wording.names import Names
from wording.texts import load_texts

if TYPE_CHECKING:
    from facility.catalogue import Catalogue
    from wording.texts import Texts

NAMED_METERS = 500
"""Meters that are told by name in cells; of more, dashboards show the ids, or each would be megabytes."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language of one estate's dashboards."""

    language: str
    catalogue: Catalogue
    texts: Texts

    def name(self, family: str, of: str) -> str:
        """What a value is called: of ``building`` and ``meter`` the registry says it, of others a family of texts."""
        names = Names(self.catalogue, self.language)
        if family == "building":
            return names.building(of)
        if family == "meter":
            home = self.catalogue.meter[of].building if of in self.catalogue.meter else ""
            return f"{names.building(home)} · {names.meter(of)}" if home else of
        return self.texts.text_or(f"{family}.{of}", of.replace("_", " "))

    def known(self, family: str) -> tuple[str, ...]:
        """Every value of a family that the estate can have, of which a cell shows the name."""
        catalogue = self.catalogue
        if family == "building":
            return tuple(catalogue.building)
        if family == "meter":
            return tuple(catalogue.meter) if len(catalogue.meters) <= NAMED_METERS else ()
        if family == "role":
            return tuple(MeterRole)
        if family == "quantity":
            return tuple(dict.fromkeys(point.quantity.word for point in catalogue.points))
        if family == "utility":
            return tuple(dict.fromkeys(meter.utility for meter in catalogue.meters if meter.utility))
        return tuple(dict.fromkeys(meter.enduse for meter in catalogue.meters if meter.utility))

    def uid(self, key: str) -> str:
        """The address of a dashboard: one in each language, for an address is unique in a Grafana."""
        return f"{key}-{self.language}"

    @property
    def short(self) -> str:
        """How fields of events name the language."""
        return "zh" if self.language.startswith("zh") else "en"

    @property
    def tag(self) -> str:
        """The tag by which dashboards of this language find each other."""
        return f"energy-{self.language}"


def words_of(catalogue: Catalogue, language: str) -> Words:
    """The words of an estate in ``en`` or ``zh-Hans``."""
    return Words(language, catalogue, load_texts(language))

"""One reader: whose eyes a view is made for, what they see of the estate, and which acts are theirs in which part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import Denied, MeterhouseError
from stores.access.scope import EVERYTHING

if TYPE_CHECKING:
    from facility.rights import Act
    from stores.access.important import ImportantReads
    from stores.access.scope import Rights, Sight


class NoEstateError(MeterhouseError):
    """Nothing can be shown yet: no estate has been applied."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who looks, and at times acts."""

    name: str
    sight: Sight
    rights: Rights
    reads: ImportantReads

    def acting(self, act: Act, building: str, point: str = "") -> str:
        """Their name, for the record of what they do in a building, to a point.

        Raises ``Denied`` where the act is not theirs there.
        """
        catalogue = self.sight.catalogue
        if not self.rights.may_here(act, catalogue.building.get(building), catalogue.point.get(point)):
            raise Denied(f"{self.name} may not {act}")
        return self.name

    def acting_for(self, act: Act, agent: str) -> str:
        """The same for what came from an agent: the act must be theirs in every building that it reads."""
        theirs = self.agents_for(act)
        if theirs is not None and agent not in theirs:
            raise Denied(f"{self.name} may not {act}")
        return self.name

    def agents_for(self, act: Act) -> frozenset[str] | None:
        """The agents whose messages an act is theirs for; None: all, those that nobody knows too."""
        if any(act in one.acts and one.scope == EVERYTHING for one in self.rights.permits):
            return None
        catalogue = self.sight.catalogue
        shown = frozenset(catalogue.agent) if self.sight.agents is None else self.sight.agents
        points = [(p, catalogue.meter[p.meter]) for p in catalogue.points]
        denied = {m.agent for p, m in points if not self.rights.may_here(act, catalogue.building.get(m.building), p)}
        return shown - denied if self.rights.may(act) else frozenset()

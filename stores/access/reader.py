"""One reader: whose eyes a view is made for, what they see of the estate, and which acts are theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Collection

    from stores.access.scope import Act, Sight


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who looks, and at times acts."""

    name: str
    sight: Sight
    acts: Collection[Act]

    def acting(self, act: Act) -> str:
        """Their name, for the record of what they do. Raises ``Denied`` where the act is not theirs."""
        if act not in self.acts:
            raise Denied(f"{self.name} may not {act}")
        return self.name

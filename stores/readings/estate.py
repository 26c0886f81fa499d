"""The registry, as far as a reading store needs it: where a point belongs becomes its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from facility.catalogue import Catalogue


class EstateSource(Protocol):
    """``stores.records.registry.Registry`` is one."""

    def version(self) -> int:
        """A number that grows with every change; 0 before the first."""

    def load(self) -> Catalogue:
        """The estate as it stands."""

"""What every detector can do: look at a scene and say what deserves a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.scene import Scene
    from facility.work import Finding


class Detector(Protocol):
    """Options in the constructor; ``detect`` is pure and causal: the same scene gives the same findings."""

    name: ClassVar[str]
    hold_h: ClassVar[int]
    """Hours of quiet after which a case resolves by itself."""

    def detect(self, scene: Scene) -> Iterable[Finding]:
        """Everything that is wrong in this way at ``scene.now``."""

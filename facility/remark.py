"""What a person should know and nothing is stopped by: a message id and its parameters, worded for each reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facility.work import Params


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know. ``message_id`` names its text in every catalogue; an alert's rules hold for ``params``."""

    message_id: str
    params: Params = field(default_factory=dict)

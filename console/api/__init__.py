"""What pages fetch after they are shown: columns for charts, the stream of live figures, and health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.api import charts, events, health

if TYPE_CHECKING:
    from fastapi import APIRouter

API: dict[str, APIRouter] = {"charts": charts.router, "events": events.router, "health": health.router}

"""What pages fetch after they are shown: columns for charts, live figures, health; and work orders for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.api import charts, events, health, orders

if TYPE_CHECKING:
    from fastapi import APIRouter

API: dict[str, APIRouter] = {
    "charts": charts.router,
    "events": events.router,
    "health": health.router,
    "orders": orders.router,
    "order": orders.one_router,
}

"""What pages fetch after they are shown: columns for charts, live figures, health; cases and orders for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.api import cases, charts, described, events, health, orders, plans

if TYPE_CHECKING:
    from fastapi import APIRouter

API: dict[str, APIRouter] = {
    "cases": cases.router,
    "case": cases.one_router,
    "described": described.router,
    "charts": charts.router,
    "events": events.router,
    "health": health.router,
    "orders": orders.router,
    "order": orders.one_router,
    "plans": plans.router,
}

"""Every page of the console, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.pages import (
    alert,
    alerts,
    authority,
    building,
    dashboards,
    entry,
    now,
    preferences,
    quarantine,
    quarantine_item,
    sign_in,
    spell,
    spells,
)

if TYPE_CHECKING:
    from fastapi import APIRouter

PAGES: dict[str, APIRouter] = {
    "now": now.router,
    "building": building.router,
    "alerts": alerts.router,
    "dashboards": dashboards.router,
    "alert": alert.router,
    "quarantine": quarantine.router,
    "quarantine_item": quarantine_item.router,
    "spells": spells.router,
    "spell": spell.router,
    "entry": entry.router,
    "preferences": preferences.router,
    "authority": authority.router,
    "sign_in": sign_in.router,
}

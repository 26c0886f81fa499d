"""Every page of the console, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.pages import (
    account,
    alert,
    alerts,
    audit,
    authority,
    building,
    building_account,
    casework,
    dashboards,
    entry,
    import_item,
    imports,
    mailbox,
    now,
    order,
    orders,
    people,
    person,
    preferences,
    provider,
    quarantine,
    quarantine_item,
    report,
    roles,
    server,
    sign_in,
    spell,
    spells,
    take,
)

if TYPE_CHECKING:
    from fastapi import APIRouter

PAGES: dict[str, APIRouter] = {
    "now": now.router,
    "building": building.router,
    "building_account": building_account.router,
    "alerts": alerts.router,
    "casework": casework.router,
    "dashboards": dashboards.router,
    "alert": alert.router,
    "quarantine": quarantine.router,
    "quarantine_item": quarantine_item.router,
    "spells": spells.router,
    "spell": spell.router,
    "entry": entry.router,
    "import_item": import_item.router,
    "imports": imports.router,
    "preferences": preferences.router,
    "provider": provider.router,
    "authority": authority.router,
    "sign_in": sign_in.router,
    "take": take.router,
    "mailbox": mailbox.router,
    "orders": orders.router,
    "order": order.router,
    "report": report.router,
    "account": account.router,
    "people": people.router,
    "person": person.router,
    "roles": roles.router,
    "audit": audit.router,
    "server": server.router,
}

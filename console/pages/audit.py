"""The audit trail, for who keeps it: filters, a page at a time, an export, and whether it is whole."""

import csv
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from console.answer import page
from console.visit import Visit, visit_of
from reports.csv_cell import csv_cell
from stores.access import AuditEntry, AuditFilter

router = APIRouter()

Visiting = Annotated[Visit, Depends(visit_of)]
Word = Annotated[str, Query(max_length=200)]
Before = Annotated[int | None, Query(ge=1, lt=2**31)]
MOST = 100


class Asked:
    """What an address asks for."""

    def __init__(self, who: Word = "", what: Word = "", subject: Word = "", first: Word = "", last: Word = "") -> None:
        """``first`` and ``last`` are local days."""
        self.who, self.what, self.subject, self.first, self.last = who, what, subject, first, last

    def as_filter(self, zone: ZoneInfo) -> AuditFilter:
        """As the records are asked; 404 for a day that is none."""
        return AuditFilter(
            self.who, self.what, self.subject, _midnight(self.first, zone), _midnight(self.last, zone, 1)
        )

    def address(self, path: str, **more: object) -> str:
        """The address of the same filter."""
        said = {name: value for name, value in {**vars(self), **more}.items() if value}
        return f"{path}?{urlencode(said)}" if said else path


@router.get("/audit")
def audit(
    request: Request,
    visit: Visiting,
    asked: Annotated[Asked, Depends()],
    before: Before = None,
) -> Response:
    """The newest entries first."""
    among = asked.as_filter(visit.formats.zone)
    found = visit.view.trail.entries(among, visit.now, before=before, limit=MOST + 1)
    older = asked.address("/audit", before=found[MOST - 1].seq) if len(found) > MOST else ""
    shown: dict[str, Any] = {
        "entries": found[:MOST],
        "asked": asked,
        "older": older,
        "export": asked.address("/audit.csv"),
    }
    return page(request, "audit.html", visit=visit, live_of="alerts", **shown)


@router.get("/audit/whole")
def whole(request: Request, visit: Visiting) -> Response:
    """Hold every entry against its seal."""
    look = visit.view.trail.look_through()
    return page(request, "audit_whole.html", visit=visit, look=look, live_of="alerts")


@router.post("/audit/checkpoint")
def checkpoint(visit: Visiting) -> Response:
    """The end of the trail, signed, to be kept elsewhere."""
    named = {"content-disposition": 'attachment; filename="audit-checkpoint.json"'}
    line = visit.view.trail.checkpoint(visit.now)
    return Response(f"{line}\n", media_type="application/json", headers=named)


@router.get("/audit.csv")
def export(visit: Visiting, asked: Annotated[Asked, Depends()], before: Before = None) -> Response:
    """Times in UTC, as they are kept; the export is in the trail itself. Its name says which entries are in it."""
    entries = visit.view.trail.export(asked.as_filter(visit.formats.zone), visit.now, before=before)
    span = f"-{entries[-1].seq}-{entries[0].seq}" if entries else ""
    named = {"content-disposition": f'attachment; filename="audit{span}.csv"'}
    return Response(csv_of(entries), media_type="text/csv; charset=utf-8", headers=named)


def csv_of(entries: list[AuditEntry]) -> str:
    """One line an entry. What strangers wrote computes nothing in a spreadsheet."""
    text = StringIO()
    lines = csv.writer(text)
    lines.writerow(("seq", "at", "who", "what", "subject", "detail"))
    for one in entries:
        words = (one.who, one.what, one.subject, one.detail)
        lines.writerow((one.seq, one.at.isoformat(), *map(csv_cell, words)))
    return text.getvalue()


def _midnight(day: str, zone: ZoneInfo, later: int = 0) -> datetime | None:
    try:
        found = date.fromisoformat(day) + timedelta(days=later) if day else None
    except (ValueError, OverflowError):
        raise HTTPException(404) from None
    return datetime.combine(found, time(), zone) if found else None

"""Readings that people hand in: the list, and the form by which a table is uploaded and read."""

from typing import Annotated, get_args

from fastapi import APIRouter, Depends, File, Form, Request, Response, UploadFile
from starlette.responses import RedirectResponse

from console.answer import page
from console.imports import meters_of
from console.spells import Visiting
from console.visit import Visit
from facility.errors import Denied
from facility.rights import Act
from imports.columns import ColumnRole
from imports.fault_words import fault_text
from imports.readings import ImportPlan, plan_import
from imports.rows import Wishes
from imports.times import Period
from stores.access import ProposedImport

router = APIRouter(prefix="/imports")

MOST_FAULTS = 100
CHOICES = {
    "tells": ("register", "use"),
    "decimal": ("point", "comma"),
    "date_order": ("dmy", "mdy"),
    "period": get_args(Period),
}
"""What a visitor may say of a table where the guess is wrong."""

Wish = Annotated[str, Form(max_length=80)]


class GivenTable:
    """What the form says of a table."""

    def __init__(
        self,
        tells: Wish = "",
        decimal: Wish = "",
        date_order: Wish = "",
        period: Wish = "",
        meter: Wish = "",
        unit: Wish = "",
        meter_column: Wish = "",
        time_column: Wish = "",
        figure_column: Wish = "",
    ) -> None:
        """Empty: guessed."""
        figure = tells if tells in CHOICES["tells"] else ColumnRole.REGISTER.value
        said = {"meter": meter_column, "time": time_column, figure: figure_column}
        columns = {role: header.strip() for role, header in said.items() if header.strip()}
        self.wishes = Wishes(
            columns=columns,
            meter=meter.strip(),
            unit=unit.strip(),
            tells=tells,
            decimal=decimal,
            date_order=date_order,
            period=period,
        )


@router.get("")
def imports(request: Request, visit: Visiting) -> Response:
    """The newest imports, and the form."""
    return _list(request, visit)


@router.post("")
def hand_in(
    request: Request, visit: Visiting, table: Annotated[UploadFile, File()], given: Annotated[GivenTable, Depends()]
) -> Response:
    """Read a table: put on record what it would bring, or show what is wrong with it."""
    if not visit.view.may(Act.HAND_IN):
        raise Denied(f"{visit.view.person} may not {Act.HAND_IN}")
    name = (table.filename or "").rpartition("/")[2].rpartition("\\")[2][:200] or "–"
    plan = plan_import(
        table.file.read(), name, visit.catalogue, visit.formats.zone, visit.view.readings, given.wishes, visit.now_ms
    )
    if plan.faults or not len(plan.readings):
        return _list(request, visit, plan, status=422)
    number = visit.view.imports.propose(ProposedImport(plan.file, plan.digest, plan.tells, plan.readings), visit.now)
    return RedirectResponse(f"/imports/{number}", 303)


def _list(request: Request, visit: Visit, plan: ImportPlan | None = None, *, status: int = 200) -> Response:
    faults = [] if plan is None else [fault_text(one, visit.texts, visit.formats) for one in plan.faults]
    return page(
        request,
        "imports.html",
        status=status,
        visit=visit,
        plan=plan,
        faults=faults[:MOST_FAULTS],
        more_faults=max(len(faults) - MOST_FAULTS, 0),
        found=[(kept, meters_of(visit, kept)) for kept in visit.view.imports.newest()],
        may_hand_in=visit.view.may(Act.HAND_IN),
        choices=CHOICES,
        live_of="alerts",
    )

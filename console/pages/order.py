"""One work order, and what people do to it."""

from typing import Annotated

from fastapi import APIRouter, File, Form, HTTPException, Request, Response, UploadFile
from starlette.responses import RedirectResponse

from console.answer import page
from console.orders import MOST_DIGITS, NOTE_LENGTH, Acts, Line, Named, Note, Visiting, shown
from console.visit import Visit
from facility.errors import Rejected
from facility.order import Work, WorkOrder
from stores.access import MOST_FILE_BYTES, FileKind

router = APIRouter(prefix="/orders/{order_id}")

Stars = Annotated[int, Form(ge=1, le=5)]
FILES_REFUSED = ("file_large", "file_unknown", "file_damaged", "files_many")
BYTES_OF_MB = 2**20


@router.get("")
def order(request: Request, visit: Visiting, named: Named) -> Response:
    """What is to be done, where, by whom and until when; what was done, and its photos."""
    return _shown(request, visit, named)


@router.post("/accept")
def accept(visit: Visiting, named: Named, acts: Acts) -> Response:
    """Take it. Who was slower is told who has it."""
    visit.view.orders.accept(named.id, visit.now, based_on=acts)
    return _back(named)


@router.post("/refuse")
def refuse(visit: Visiting, named: Named, acts: Acts, reason: Note) -> Response:
    """Give it back: the next person is asked."""
    if not reason:
        raise HTTPException(422)
    visit.view.orders.refuse(named.id, reason, visit.now, based_on=acts)
    return RedirectResponse("/orders/mine", 303)


@router.post("/arrive")
def arrive(visit: Visiting, named: Named, acts: Acts) -> Response:
    """Say that one is there."""
    visit.view.orders.arrive(named.id, visit.now, based_on=acts)
    return _back(named)


@router.post("/finish")
def finish(
    visit: Visiting,
    named: Named,
    acts: Acts,
    parts: Note = "",
    cost: Annotated[str, Form(max_length=20)] = "",
    signed_by: Line = "",
    ticked: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Say that it is done; the case still wants a verdict."""
    steps = range(len(shown(visit, named).words.checklist))
    work = Work(parts, _cost(cost), signed_by, tuple(one for one in ticked or [] if one in steps))
    visit.view.orders.finish(named.id, work, visit.now, based_on=acts)
    return _back(named)


@router.post("/call_off")
def call_off(visit: Visiting, named: Named, acts: Acts, reason: Note = "") -> Response:
    """Say that it need not be done."""
    visit.view.orders.call_off(named.id, reason, visit.now, based_on=acts)
    return _back(named)


@router.post("/give")
def give(visit: Visiting, named: Named, acts: Acts, to: Line) -> Response:
    """Say who does it."""
    visit.view.orders.give(named.id, to, visit.now, based_on=acts)
    return _back(named)


@router.post("/rate")
def rate(visit: Visiting, named: Named, stars: Stars, note: Note = "") -> Response:
    """Say how it was done."""
    visit.view.orders.rate(named.id, stars, note, visit.now)
    return _back(named)


@router.post("/files")
def add_file(request: Request, visit: Visiting, named: Named, file: Annotated[UploadFile, File()]) -> Response:
    """Keep a photo or a file, or say why not."""
    name = (file.filename or "").rpartition("/")[2].rpartition("\\")[2]
    try:
        visit.view.orders.add_file(named.id, name, file.file.read(MOST_FILE_BYTES + 1), visit.now)
    except Rejected as refused:
        if refused.reason not in FILES_REFUSED:
            raise
        return _shown(request, visit, named, status=422, refused=refused.reason)
    return _back(named)


@router.get("/files/{file_id}")
def file(visit: Visiting, named: Named, file_id: str) -> Response:
    """A photo as it is; anything else to be saved, so that nothing of it runs here."""
    number = int(file_id) if file_id.isdecimal() and file_id.isascii() and len(file_id) <= MOST_DIGITS else 0
    known = {one.id: one for one in visit.view.orders.files(named.id)}
    content = visit.view.orders.file(named.id, number) if number in known else None
    if content is None:
        raise HTTPException(404)
    kind = known[number].kind
    is_photo = kind in {FileKind.JPEG, FileKind.PNG, FileKind.WEBP}
    headers = {} if is_photo else {"content-disposition": "attachment"}
    return Response(content, media_type=kind.value, headers=headers)


def _shown(request: Request, visit: Visit, named: WorkOrder, *, status: int = 200, refused: str = "") -> Response:
    kept = visit.view.orders
    return page(
        request,
        "order.html",
        status=status,
        visit=visit,
        one=shown(visit, named),
        story=kept.story(named.id),
        files=kept.files(named.id),
        people=[one.name for one in kept.workers()],
        refused=refused,
        most_mb=MOST_FILE_BYTES // BYTES_OF_MB,
        note_length=NOTE_LENGTH,
        live_of="alerts",
    )


def _back(named: WorkOrder) -> Response:
    return RedirectResponse(f"/orders/{named.id}", 303)


def _cost(text: str) -> float | None:
    """A sum as people write it; 422 for what is none."""
    said = text.strip().replace(",", ".")
    if not said:
        return None
    try:
        found = float(said)
    except ValueError:
        raise HTTPException(422) from None
    if not 0 <= found < 1e9:  # noqa: PLR2004 - a sum of money, and no NaN
        raise HTTPException(422)
    return found

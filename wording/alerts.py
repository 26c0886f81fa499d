"""An alert in words: its message id and parameters become sentences in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from facility.work import RUNNING
from wording.formats import Formats
from wording.names import Names
from wording.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from facility.catalogue import Catalogue
    from facility.work import Alert


OTHERWISE_ONCE_OVER = frozenset({"stuck_meter"})
"""What is true only while it lasts: a register that moves again may have caught up. ``<id>_over`` is said then."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What an alert says: a title, one sentence, the likely cause and the first check."""

    title: str
    what: str
    why: str
    check: str


def wording_of(alert: Alert, language: str, catalogue: Catalogue) -> Wording:
    """An alert's sentences: whatever its parameters, they may name its meter and building."""
    params = {"meter": alert.meter, "door": alert.meter, "building": alert.building} | alert.params
    is_past = alert.state not in RUNNING and alert.message_id.removeprefix("alert.") in OTHERWISE_ONCE_OVER
    return render(f"{alert.message_id}_over" if is_past else alert.message_id, params, language, catalogue)


def render(message_id: str, params: Mapping[str, Any], language: str, catalogue: Catalogue) -> Wording:
    """The sentences of ``message_id`` (``alert.<detector>``) for ``en`` or ``zh-Hans``.

    Parameters are typed by their name: ``…_at`` an ISO instant in UTC, ``…_h`` hours, ``…_share`` 0–1, ``…_w`` watts,
    ``…_money`` in the site's currency, ``…_qty`` in the unit that ``unit`` names; meters, buildings and spaces by id,
    a ``door`` by that of its sensor.
    """
    texts = load_texts(language)
    formats = Formats(language, catalogue.site.timezone, catalogue.site.currency)
    unit = str(params.get("unit", ""))
    names = Names(catalogue, language)
    words = {name: _word(name, value, unit, formats, names) for name, value in params.items()}
    return Wording(*(texts(f"{message_id}.{part}", **words) for part in ("title", "what", "why", "check")))


def _word(name: str, value: object, unit: str, formats: Formats, names: Names) -> str:
    """One parameter as a reader writes it."""
    if isinstance(value, str):
        if name.endswith("_at"):
            return formats.instant(datetime.fromisoformat(value))
        return _name(name, value, names)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return _figure(name, float(value), unit, formats)


def _figure(name: str, value: float, unit: str, formats: Formats) -> str:
    """A number by the suffix of its name."""
    written: dict[str, Callable[[], object]] = {
        "money": lambda: formats.money(value),
        "qty": lambda: formats.use(value, unit),
        "h": lambda: formats.lasting(timedelta(hours=value)),
        "w": lambda: formats.power(value),
        "share": lambda: formats.percent(value),
    }
    plain = lambda: formats.number(value, 0 if value.is_integer() else 1)  # noqa: E731 - the table's last row
    return str(written.get(name.rpartition("_")[2] if "_" in name else "", plain)())


def _name(name: str, value: str, names: Names) -> str:
    """The display name behind an id; anything else as it is."""
    kind = name.rpartition("_")[2]
    named = {"meter": names.meter, "door": names.door, "building": names.building, "space": names.space}
    return named[kind](value) if kind in named else value

"""A work order in words: what, where, what to check, until when, for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.order import STEPS_OF_A_LIST
from wording.alerts import wording_of
from wording.formats import Formats
from wording.letters import LetterText
from wording.names import Names
from wording.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from facility.catalogue import Catalogue
    from facility.order import WorkOrder
    from facility.work import Alert
    from wording.texts import Texts


@dataclass(frozen=True, slots=True)
class OrderWords:
    """An order with its names and words. ``checklist`` is what the alert says to check, then the list of the skill."""

    order: WorkOrder
    title: str
    what: str
    building: str
    place: str
    checklist: tuple[str, ...]

    @property
    def where(self) -> str:
        """``Library › Plant room``."""
        return " › ".join(part for part in (self.building, self.place) if part)


def order_words(order: WorkOrder, alert: Alert | None, catalogue: Catalogue, language: str) -> OrderWords:
    """An order for a reader of ``en`` or ``zh-Hans``."""
    t, names, place = load_texts(language), Names(catalogue, language), order.wish.place
    wording = wording_of(alert, language, catalogue) if alert else None
    steps = [t(f"playbook.{order.wish.skill}.{n}") for n in range(1, STEPS_OF_A_LIST + 1)]
    space = names.space(place.space) if place.space else names.place(place.meter)
    found = [space, names.meter(place.meter) if place.meter else ""]
    return OrderWords(
        order=order,
        title=order.wish.title or (wording.title if wording else t("order.untitled")),
        what=wording.what if wording else order.wish.note,
        building=names.building(place.building),
        place=" › ".join(one for one in found if one),
        checklist=tuple(([wording.check] if wording else []) + steps),
    )


def order_letter_text(
    orders: Sequence[tuple[WorkOrder, Alert | None, str]],
    language: str,
    catalogue: Catalogue,
    now: datetime,
    *,
    haste: str,
    console: str,
    is_repeat: bool,
    is_waiting: bool = False,
) -> LetterText:
    """The letter to who is asked to do some orders, at least one, the worst first; ``is_waiting``: nobody is yet.

    Each comes with its case, and the link by which its reader takes both without signing in; empty: they have none.
    """
    t = load_texts(language)
    formats = Formats(language, catalogue.site.timezone, catalogue.site.currency)
    words = [order_words(order, alert, catalogue, language) for order, alert, _ in orders]
    parts = [t("letter.repeat")] if is_repeat else []
    takes = [take for _, _, take in orders]
    parts += ["\n".join(_lines(t, formats, one, take, console, now)) for one, take in zip(words, takes, strict=True)]
    parts.append(t("letter.from", site=catalogue.site.name.in_language(language)))
    first = t("letter.order", title=words[0].title, building=words[0].building)
    if is_waiting:
        one = t("letter.case", title=words[0].title, building=words[0].building)
        return LetterText(t.counted("letter.waiting", len(words), first=one), "\n\n".join(parts) + "\n")
    what = first if len(words) == 1 else t.counted("letter.orders", len(words), first=first)
    return LetterText(t("letter.urgent", what=what) if haste == "urgent" else what, "\n\n".join(parts) + "\n")


def _lines(t: Texts, formats: Formats, one: OrderWords, take: str, console: str, now: datetime) -> Iterator[str]:
    order = one.order
    yield f"■ {one.what or one.title}"
    yield one.where
    due = formats.instant(order.due_at)
    yield t("letter.order_due", at=due, severity=t(f"severity.{order.wish.severity.word}"))
    if order.answer_by and order.answer_by > now:
        yield t("letter.order_answer", at=formats.instant(order.answer_by))
    yield t("letter.check", check=one.checklist[0])
    if take:
        yield t("letter.take", link=take)
    if console:
        yield t("letter.order_page", link=f"{console}/orders/{order.id}")

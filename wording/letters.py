"""A letter in words: what is wrong, where, at what cost, what to check first, and where to act, for one reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wording.cases import case_of
from wording.formats import Formats
from wording.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from facility.catalogue import Catalogue
    from facility.work import Alert
    from wording.cases import Case
    from wording.texts import Texts

MOST_CASES = 5
"""So many are told of in full; of more only how many they are."""


@dataclass(frozen=True, slots=True)
class ToldCase:
    """A case for a reader, and their links to it: the page, and where they may take it without signing in."""

    alert: Alert
    page: str = ""
    take: str = ""


@dataclass(frozen=True, slots=True)
class LetterText:
    """What a letter says."""

    subject: str
    body: str


def letter_text(
    shown: Sequence[ToldCase],
    language: str,
    catalogue: Catalogue,
    now: datetime,
    *,
    haste: str,
    list_page: str = "",
    is_repeat: bool = False,
) -> LetterText:
    """The letter about some cases, at least one, the worst first; ``haste``: urgent, soon or daily."""
    t = load_texts(language)
    formats = Formats(language, catalogue.site.timezone, catalogue.site.currency)
    cases = [case_of(one.alert, catalogue, language, now) for one in shown]
    parts = [t("letter.repeat")] if is_repeat else []
    for case, one in zip(cases[:MOST_CASES], shown, strict=False):
        parts.append("\n".join(_lines(t, formats, case, one)))
    if more := len(cases) - MOST_CASES:
        parts += [t("letter.more", n=formats.number(more), page=list_page).strip()] if more > 0 else []
    parts.append(t("letter.from", site=catalogue.site.name.in_language(language)))
    return LetterText(_subject(t, cases, haste), "\n\n".join(parts) + "\n")


def trial_text(language: str, now: datetime) -> LetterText:
    """A letter that only shows that letters arrive."""
    t = load_texts(language)
    return LetterText(t("letter.trial"), t("letter.trial.body", at=f"{now:%Y-%m-%d %H:%M} UTC") + "\n")


def _subject(t: Texts, cases: Sequence[Case], haste: str) -> str:
    first = t("letter.case", title=cases[0].wording.title, building=cases[0].building)
    if haste == "daily":
        return t.counted("letter.daily", len(cases))
    what = first if len(cases) == 1 else t.counted("letter.several", len(cases), first=first)
    return t("letter.urgent", what=what) if haste == "urgent" else what


def _lines(t: Texts, formats: Formats, case: Case, one: ToldCase) -> Iterator[str]:
    alert = case.alert
    yield f"■ {case.wording.what}"
    yield " › ".join(part for part in (case.building, case.place, case.meter) if part)
    since = t("letter.since", at=formats.instant(alert.since), severity=t(f"severity.{alert.severity.word}"))
    yield since + (t("letter.taken", name=alert.acknowledged_by) if alert.acknowledged_by else "")
    if alert.money is not None:
        text = "letter.cost" if case.goes_on_by_day else "letter.cost_so_far"
        money = formats.money(alert.money.per_day if case.goes_on_by_day else alert.money.to_date)
        yield t(text, money=money)
    yield t("letter.check", check=case.wording.check)
    if one.take:
        yield t("letter.take", link=one.take)
    if one.page:
        yield t("letter.page", link=one.page)

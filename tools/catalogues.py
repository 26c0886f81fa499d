"""The check of the catalogues: every text exists in every language, is used, and stands in no template.

Any package that speaks to people may say a text: pages, bills, commands, and the detectors whose findings are told.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from accounting.spells import Outcome
from accounting.standard_coal import Rung
from analytics.detectors import DETECTORS
from analytics.detectors.counter_fault import AGAIN, LEAPT
from analytics.detectors.silent_meter import NEVER_HEARD, SENSOR
from analytics.folding import DOOR_AND_LIGHTS
from analytics.silent_agents import MANY, SILENT_AGENT, STORM
from console.cases import FILTERS
from console.figures.domains import DOMAINS
from console.pages.account import DONE
from console.pages.casework import REFUSED as PLANS_REFUSED
from console.pages.imports import CHOICES
from console.pages.order import FILES_REFUSED
from console.pages.orders import COLUMNS, SHOWS
from facility.building_use import BuildingUse
from facility.duties import Duty
from facility.factors import Carrier
from facility.levels import Level
from facility.model import MeterRole, Provenance
from facility.order import STEPS_OF_A_LIST, OrderState, Skill
from facility.quantities import Kind, Quantity, Utility
from facility.remark import RemarkKind
from facility.rights import Act, Role
from facility.stated import FigureKind, Indicator, RestBy
from facility.system_alarm import SystemAlarm, Unseen
from facility.tariff import Period
from facility.work import AlertState, Cause, Severity, Verdict
from imports.columns import ColumnRole
from imports.faults import FaultKind
from reports.doctor.checks import ADVISED, CASES, CHECKS
from reports.doctor.line import How
from reports.month_charges import CHARGES
from stores.readings.migrate import Doing
from stores.records.accounting.proposals import EntryState
from stores.records.accounting.spells import DECISIONS
from stores.records.audit_fault import Wrong
from stores.records.case_figures import AGES, OLDER
from stores.records.case_rules import SNOOZES
from stores.records.imports.book import ImportState
from stores.records.letters.letter import LetterState
from stores.records.planned_events import PlanKind
from stores.records.quarantine.item import ItemState
from stores.records.quarantine.story import STEPS
from stores.records.roster.worker import Rank
from tools.dashboard_texts import dashboard_ids
from wording.alerts import OTHERWISE_ONCE_OVER
from wording.refusals import REFUSALS
from wording.spells import ACTS, OUTCOMES_ASKED
from wording.texts import DOMAINS as FILES
from wording.texts import LANGUAGES, read_catalogue, read_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SPEAKING = ("analytics", "console", "dashboards", "imports", "meterhouse", "reports", "wording")
"""Packages whose code names texts."""

TEMPLATES = ROOT / "console" / "templates"
REFUSED_OF_PEOPLE = (
    "password_short", "password_long", "password_known", "password_named", "password_wrong", "wrong_code",
    "roles_apart", "last_administrator", "whole_site", "unknown_part", "unknown_person", "unknown_role",
    "unknown_level", "ended_already", "cases_open", "no_name", "unknown_grant", "other",
)  # fmt: skip
AGENT_STATES = ("online", "offline", "expected", "unknown")
PROCESS_STATES = ("running", "waiting_for_estate", "rollups", "history", "live", "ended", "silent", "still")
CASE_STEPS = (
    *("opened", "reopened", "rose", "resolved", "acknowledged", "released", "closed", "checked", "handed_over"),
    *("undone", "flapped", "put_aside", "woke", "woken", "snoozed", "passed", "folded", "saved", "not_saved"),
)
ORDER_STEPS = (
    *("made", "offered_worker", "offered_lead", "offered_manager", "accepted", "refused", "timed_out", "withdrawn"),
    *("given", "on_site", "done", "called_off", "case_over", "case_settled", "nobody_there", "rated", "file"),
)
ALERT_PARTS = ("title", "what", "why", "check")
FREE_FAMILIES = ("unit.",)
"""Texts for units; without one, the word itself is shown."""

_QUOTED_ID = re.compile(r"""["']([a-z_]+(?:\.[a-z0-9_]+)+)["']""")
_TEMPLATE_CODE = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_SPOKEN_ATTRIBUTES = frozenset({"aria-label", "alt", "title", "placeholder", "label"})
_NAMES = frozenset({"Meterhouse"})
_FILE_ENDINGS = (".csv", ".html", ".json", ".yaml", ".xlsx", ".env", ".key", ".lock", ".log", ".pem")
"""What looks like an id and is a file's name."""


def problems() -> list[str]:
    """What is wrong with the texts, one sentence each; an empty list when nothing is."""
    return [*_id_problems(), *_twice_problems(), *_place_problems(), *_literal_problems(), *_printed_problems()]


def wanted_ids() -> set[str]:
    """Every id that templates and code name, and those that they put together from our vocabularies."""
    sections = {text_id.partition(".")[0] for language in LANGUAGES for text_id in _catalogue(language)} - {"use"}
    named = set()
    for path in (*(path for package in SPEAKING for path in (ROOT / package).rglob("*.py")), *TEMPLATES.glob("*.html")):
        found = _QUOTED_ID.findall(path.read_text(encoding="utf-8"))
        named |= {one for one in found if one.partition(".")[0] in sections and not one.endswith(_FILE_ENDINGS)}
    named |= {*_vocabulary(), *_doctor_ids(), *_alert_ids()}
    return named | {one for one in _singles() if one.removesuffix(".one") in named}


def _doctor_ids() -> Iterator[str]:
    """Of each check its name, what to do, and what it can find."""
    yield from (f"doctor.how.{how}" for how in How)
    yield from (f"doctor.{name}{part}" for name in CHECKS for part in ("", ".do"))
    yield from (f"doctor.{name}.{case}" for name, cases in CASES.items() for case in cases)
    yield from (f"doctor.{name}.do.{case}" for name, cases in ADVISED.items() for case in cases)


def _vocabulary() -> Iterator[str]:
    """Ids made of a family and a word of a closed vocabulary."""
    yield from (f"system.{alarm}" for alarm in SystemAlarm)
    yield from (f"unseen.{what}" for what in Unseen)
    yield from (f"duty.{duty}" for duty in Duty)
    yield from (f"cli.audit.{what}" for what in Wrong)
    yield from (f"severity.{severity.word}" for severity in Severity)
    yield from (f"case.{state}" for state in AlertState)
    yield from (f"filter.{word}" for word in FILTERS)
    yield from (f"verdict.{verdict}{part}" for verdict in Verdict for part in ("", ".long"))
    yield from (f"utility.{utility}" for utility in Utility)
    yield from (f"quantity.{quantity.word}" for quantity in Quantity)
    yield from (f"state.{q.word}.{word}" for q in Quantity if q.kind is Kind.STATE for word in ("on", "off"))
    yield from (f"provenance.{p}{part}" for p in Provenance if p is not Provenance.METERED for part in ("", ".long"))
    yield from (f"domain.{word}" for word in DOMAINS)
    for sensor in (Quantity.DOOR_OPEN, Quantity.LEAK, Quantity.SMOKE):
        yield f"domain.security.{sensor.word}"
        yield from (f"domain.security.{sensor.word}.{word}" for word in ("on", "off", "unknown"))
    yield from (f"sure.{word}" for word in ("fact", "very_likely", "likely", "possible"))
    yield from (f"done.{word}" for word in ("taken", "released", "closed", "reopened", "snoozed", "woken", "planned"))
    yield from (*(f"event.{word}" for word in CASE_STEPS), *(f"letter.state.{state}" for state in LetterState))
    yield from (f"refusal.{reason}{part}" for reason in REFUSALS for part in ("", ".long"))
    yield from (f"cli.agent.{state}" for state in AGENT_STATES)
    yield from (f"move.{doing}" for doing in Doing)
    yield from (f"cli.status.{state}" for state in PROCESS_STATES)
    yield from (f"quarantine.state.{state}" for state in ItemState)
    yield from (f"quarantine.step.{step}" for step in STEPS)
    yield from (f"spell.{outcome}{part}" for outcome in Outcome for part in ("", ".long"))
    yield from (f"spell.{outcome}.{act}" for outcome in OUTCOMES_ASKED for act in ACTS)
    yield from (f"spell.{word}" for word in DECISIONS)
    yield from (f"proposal.{state}" for state in EntryState)
    yield from (f"spell.step.{word}" for word in DECISIONS)
    yield from (f"proposal.step.{state}" for state in EntryState if state is not EntryState.PROPOSED)
    yield from (f"spells.{act}" for act in (*ACTS, "ask_again"))
    yield from (f"use.{use}" for use in BuildingUse)
    yield from (f"role.{role}" for role in MeterRole)
    yield from (*(f"person_role.{role}" for role in Role), *(f"act.{act.name.lower()}" for act in Act))
    yield from (f"level.{level.word}" for level in Level)
    yield from (*(f"people.refused.{one}" for one in REFUSED_OF_PEOPLE), *(f"account.done.{one}" for one in DONE))
    yield from (f"remark.{kind}" for kind in RemarkKind)
    yield from (f"charged.{utility}" for utility in Utility)
    yield from (f"charge.{period}" for period in Period)
    yield from (f"charge.{charge}" for charge in CHARGES)
    yield from _of_indicators()
    yield from _of_imports()
    yield from _of_orders()
    yield from _of_casework()
    yield from dashboard_ids()
    words = (
        "not_found",
        "form_refused",
        "not_understood",
        "too_late",
        "not_yours",
        "too_many",
        "no_estate",
        "store_lost",
    )
    yield from (f"problem.{word}{part}" for word in words for part in ("", ".long"))


def _of_casework() -> Iterator[str]:
    yield from (f"cause.{cause}{part}" for cause in Cause for part in ("", ".long"))
    yield from (f"plan.{kind}" for kind in PlanKind)
    yield from (f"cases.age.{age}" for age in (*AGES, OLDER))
    yield from (f"snooze.{choice}" for choice in SNOOZES)


def _of_indicators() -> Iterator[str]:
    yield from (f"carrier.{carrier}" for carrier in Carrier)
    yield from (f"figure.{kind}" for kind in FigureKind)
    yield from (f"indicator.{indicator}" for indicator in Indicator)
    yield from (f"rung.{rung}" for rung in Rung)
    yield from (f"departments.by.{by}" for by in (*RestBy, "meters", "owner", "adjusting"))


def _of_imports() -> Iterator[str]:
    yield from (f"import.fault.{kind}" for kind in FaultKind)
    yield from (f"import.role.{role}" for role in ColumnRole)
    yield from (f"import.state.{state}" for state in ImportState)
    yield from (f"import.{name}" for name in CHOICES)
    yield from (f"import.{name}.{word}" for name, words in CHOICES.items() for word in words)
    yield from ("import.period.said", "imports.withdraw", "imports.undo")


def _of_orders() -> Iterator[str]:
    yield from (f"{family}.{skill}" for family in ("skill", "report.kind") for skill in Skill)
    yield from (f"order.state.{state}" for state in OrderState)
    yield from (f"order.step.{step}" for step in ORDER_STEPS)
    yield from (f"order.refused.{reason}" for reason in FILES_REFUSED)
    yield from (f"casework.refused.{reason}" for reason in PLANS_REFUSED)
    yield from (f"orders.show.{word}" for word in SHOWS)
    yield from (f"orders.column.{word}" for word in COLUMNS)
    yield from (*(f"rank.{rank}" for rank in Rank), *(f"report.{word}" for word in ("rated", "too_early", "refused")))
    yield from (f"playbook.{skill}.{n}" for skill in Skill for n in range(1, STEPS_OF_A_LIST + 1))


def _alert_ids() -> Iterator[str]:
    """All four texts of every alert that a detector can raise."""
    agents = (SILENT_AGENT, MANY, STORM)
    messages = (
        *DETECTORS,
        *agents,
        AGAIN,
        DOOR_AND_LIGHTS,
        LEAPT,
        NEVER_HEARD,
        SENSOR,
        *(f"{message}_over" for message in OTHERWISE_ONCE_OVER),
    )
    yield from (f"alert.{message}.{part}" for message in messages for part in ALERT_PARTS)


def _singles() -> Iterator[str]:
    """What any language says of a single thing (``Texts.counted``)."""
    yield from (text_id for language in LANGUAGES for text_id in _catalogue(language) if text_id.endswith(".one"))


def _catalogue(language: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for file in FILES:
        entries |= read_catalogue(language, file)
    return entries


def _id_problems() -> Iterator[str]:
    wanted = wanted_ids()
    for language in LANGUAGES:
        known = set(_catalogue(language))
        yield from (f"{language}: '{one}' has no text" for one in sorted(wanted - known))
        unused = (one for one in known - wanted if not one.startswith(FREE_FAMILIES))
        yield from (f"{language}: '{one}' is not used" for one in sorted(unused))


def _twice_problems() -> Iterator[str]:
    """A text stands once: of two, nobody would know which is said."""
    for language in LANGUAGES:
        known = Counter(text_id for file in FILES for text_id, _ in read_entries(language, file) if text_id)
        yield from (f"{language}: '{one}' stands {times} times" for one, times in known.items() if times > 1)


def _place_problems() -> Iterator[str]:
    """A text has the same named places in every language."""
    first, *others = LANGUAGES
    model = _catalogue(first)
    for language in others:
        for text_id, text in _catalogue(language).items():
            here, there = _places(text), _places(model.get(text_id, ""))
            if text_id in model and here != there:
                yield f"{language}: '{text_id}' has the places {sorted(here)}, {first} has {sorted(there)}"


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _printed_problems() -> Iterator[str]:
    """A command prints no words of its own."""
    for path in sorted((ROOT / "meterhouse" / "commands").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "echo" and node.args:
                said = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
                words = [word for text in said if isinstance(text, str) for word in _LETTERS.findall(text)]
                yield from (f"{path.name}: '{word}' is printed, and not from the catalogues" for word in words)


class _Literals(HTMLParser):
    """Collects words that a template says by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self._check(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            if name in _SPOKEN_ATTRIBUTES and value:
                self._check(value)

    def _check(self, text: str) -> None:
        self.found += [word for word in _LETTERS.findall(text) if word not in _NAMES]


def _literal_problems() -> Iterator[str]:
    for path in sorted(TEMPLATES.glob("*.html")):
        parser = _Literals()
        parser.feed(_TEMPLATE_CODE.sub("", path.read_text(encoding="utf-8")))
        yield from (f"{path.name}: '{word}' stands in the template, not in the catalogues" for word in parser.found)

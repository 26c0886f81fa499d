"""The first files of a server: a commented site.yaml, and a settings file in which every setting is explained."""

from __future__ import annotations

import json
import os
import re
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from device_profiles import load_profiles
from facility.documents.site import load_site
from facility.errors import ConfigError, Problem, quoted
from facility.person_name import person_name
from meterhouse.demo.folder import MARK as DEMO
from meterhouse.up.folder import check_version, say_version
from meterhouse.up.prepare import SITE
from meterhouse.up.private_file import write_whole
from meterhouse.up.settings import address_of
from meterhouse.up.settings_file import KNOWN, LAST, NAME, VERSION

if TYPE_CHECKING:
    from wording.texts import Texts

CURRENCIES = (("Europe/London", "GBP"), ("Europe/", "EUR"), ("America/", "USD"), ("Asia/Shanghai", "CNY"))
"""What is paid with where a zone begins so: a suggestion, no more."""

DEFAULT_LISTEN = KNOWN["METERHOUSE_LISTEN"][1]
ZONE_FILE, ZONE_LINK = Path("/etc/timezone"), Path("/etc/localtime")


@dataclass(frozen=True, slots=True)
class Answers:
    """What ``meterhouse init`` asks."""

    language: str
    name: str
    zone: str
    currency: str
    listen: str
    custodian: str = ""
    """Who decides about data levels: none changes otherwise, and a point without one waits in quarantine."""


def zone_here() -> str:
    """The machine's zone by its IANA name, UTC where it says none."""
    if os.environ.get("TZ"):
        said = os.environ["TZ"]
    elif ZONE_FILE.exists():
        said = ZONE_FILE.read_text(encoding="utf-8").strip()
    else:
        said = str(ZONE_LINK.resolve()).partition("zoneinfo/")[2]
    return said if "/" in said and said in zoneinfo.available_timezones() and not said.startswith("Etc/") else "UTC"


def currency_of(zone: str, language: str) -> str:
    """What is probably paid with there."""
    by_language = "CNY" if language.startswith("zh") else "EUR"
    return next((currency for place, currency in CURRENCIES if zone.startswith(place)), by_language)


def default_answers(t: Texts) -> Answers:
    """What is assumed of a server that nobody is asked about."""
    zone = zone_here()
    return Answers(t.language, t("init.default_name"), zone, currency_of(zone, t.language), DEFAULT_LISTEN)


def check_answer(what: str, text: str) -> str:
    """The answer to a question, named by its flag. Raises ``ConfigError``."""
    where = f"--{what}"
    if what == "name" and not text.strip():
        raise ConfigError(Problem(where, "is empty", "what people call the site"))
    if what == "zone" and text not in zoneinfo.available_timezones():
        raise ConfigError(Problem(where, f"unknown time zone {quoted(text)}", "an IANA name such as Asia/Shanghai"))
    if what == "currency" and not re.fullmatch(r"[A-Z]{3}", text):
        raise ConfigError(Problem(where, f"unknown currency {quoted(text)}", "an ISO code such as EUR"))
    if what == "listen":
        address_of(where, text)
    if what == "custodian" and text:
        return person_name(text)
    return text


def begin(folder: Path, answers: Answers, t: Texts) -> None:
    """Write the files. Raises ``ConfigError``, with nothing changed, where there is a server or a demo already."""
    for what in ("name", "zone", "currency", "listen", "custodian"):
        check_answer(what, getattr(answers, what))
    check_version(folder)
    for name in (NAME, SITE, DEMO):
        if (folder / name).exists():
            raise ConfigError(f"{folder / name} is there already: nothing was changed")
    site, settings = site_text(answers, t), settings_text(answers, t)
    load_site(site, SITE, load_profiles(), reader="registry")
    write_whole(folder / SITE, site)
    write_whole(folder / NAME, settings)
    say_version(folder)


def site_text(answers: Answers, t: Texts) -> str:
    """A site.yaml with one building and, as comments, what a meter looks like."""
    named = json.dumps(answers.custodian.strip() or t("init.site.somebody"), ensure_ascii=False)
    custodian = f"{'' if answers.custodian.strip() else '# '}custodian: {named}  # {t('init.site.custodian')}"
    level = ", level: internal" if answers.custodian.strip() else ""
    return f"""\
# {t("init.site.top")}
version: 1
site:
  id: site  # {t("init.site.id")}
  name: {json.dumps(answers.name.strip(), ensure_ascii=False)}
  timezone: {answers.zone}
  currency: {answers.currency}
  {custodian}

buildings:  # {t("init.site.buildings")}
  - id: main
    name: {json.dumps(t("init.site.main"), ensure_ascii=False)}

agents: []  # {t("init.site.agents")}
#  - id: edge-1
#    buses:
#      - {{id: bus-1, url: "modbus+tcp://192.168.1.50:502"}}

meters: []  # {t("init.site.meters")}
#  - {{id: main-meter, name: Main meter, building: main, profile: eastron/sdm630,
#     agent: edge-1, bus: bus-1, unit: 1, utility: electricity, role: head{level}}}
"""


def settings_text(answers: Answers, t: Texts) -> str:
    """A settings file: what was asked is set, all else stands as a comment with its default."""
    said = {"METERHOUSE_LANGUAGE": answers.language, "METERHOUSE_LISTEN": answers.listen}
    parts = [f"# {t('init.settings.top')}"]
    for name, (explained, default) in KNOWN.items():
        line = f"{name}={said[name]}" if name in said else f"#{name}={default}"
        parts.append(f"# {t(explained)}\n{line}")
    parts.append(f"# {t('init.settings.last')}\n{LAST}={VERSION}\n")
    return "\n\n".join(parts)

"""``meterhouse agent``: accounts of edge agents at the server's broker, and the file that brings one to its device."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from device_profiles import own_profiles
from facility.documents.site_export import dump_part
from facility.errors import ConfigError, Rejected
from meterhouse.commands.init import Folder  # noqa: TC001 - typer reads the annotation
from meterhouse.commands.spoken import given_by
from meterhouse.commands.up import settings_in
from meterhouse.output import answer, answers, say, table, texts
from meterhouse.servers.broker_files import account_line
from meterhouse.settings import DEFAULT_DATA, Settings
from meterhouse.up.join import PLAIN_VERSION, VERSION, JoinFile
from meterhouse.up.mosquitto import RESERVED
from meterhouse.up.prepare import ServerFolder, prepare, read_agents, write_agents, write_broker_files
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.registry import Registry

app = typer.Typer(no_args_is_help=True)

Agent = Annotated[str, typer.Argument(help="The agent's id in site.yaml.")]


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """One agent."""

    agent: str
    in_estate: Annotated[bool, "whether the registry has it"]
    has_account: Annotated[bool, "whether the broker lets it in"]


@dataclass(frozen=True, slots=True)
class AccountsAnswer:
    """Every agent of the estate, and every account."""

    agents: list[AccountAnswer]


@app.callback()
def agents() -> None:
    """Accounts of edge agents."""


@app.command(
    help="Make an agent's account, and the file that a fitter carries to its device.",
    short_help="Make an agent's account and its file.",
)
def add(
    agent: Agent,
    data: Folder = DEFAULT_DATA,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write (AGENT.join).")] = None,
    *,
    again: Annotated[bool, typer.Option("--again", help="A new password for an account that is there.")] = False,
    qr: Annotated[bool, typer.Option("--qr", help="Show the file as a QR code too, to be photographed.")] = False,
) -> None:
    """The password stands in the file alone: the server keeps a digest."""
    folder = ServerFolder(data.absolute())
    settings = settings_in(folder.path)
    if settings.broker:
        raise ConfigError("the server uses a broker of somebody else (METERHOUSE_BROKER): accounts are made there")
    file = out or Path(f"{agent}.join")
    known = read_agents(folder)
    _check_name(agent)
    if agent in known and not again:
        raise ConfigError(f"the agent '{agent}' has an account; --again gives it a new password, and ends the old one")
    extract, profiles = _extract(folder, agent)
    if not folder.certificates.ca.exists():
        prepare(folder, settings, datetime.now(UTC))
    word = secrets.token_urlsafe(32)
    host, port = settings.agents_place
    ca = folder.certificates.ca.read_text(encoding="ascii")
    version = VERSION if profiles else PLAIN_VERSION
    join = JoinFile(version, agent, host, port, word, ca, extract, profiles)
    picture = _picture(join.code) if qr else ""
    _note(folder, "agent_account.made", agent)
    join.write(file)
    write_agents(folder, {**known, agent: account_line(agent, word)})
    write_broker_files(folder, settings)
    say("agent.added", agent=agent, file=file, host=host, port=port)
    if qr:
        typer.echo(picture)
        say("agent.photograph")


@app.command("list", help="List the agents of the estate, and who has an account.")
@answers(AccountsAnswer)
def list_agents(data: Folder = DEFAULT_DATA) -> None:
    """One row each."""
    folder = ServerFolder(data.absolute())
    settings_in(folder.path)
    estate, known = _estate_agents(folder), read_agents(folder)
    found = [AccountAnswer(one, one in estate, one in known) for one in sorted({*estate, *known})]
    yes, no = texts()("agent.yes"), texts()("agent.no")
    rows = [(one.agent, *(yes if said else no for said in (one.in_estate, one.has_account))) for one in found]
    answer(AccountsAnswer(found), lambda: table(("agent.agent", "agent.in_estate", "agent.has_account"), rows))


@app.command(
    help="End an agent's account: the broker lets it in no more, at once.", short_help="End an agent's account."
)
def remove(agent: Agent, data: Folder = DEFAULT_DATA) -> None:
    """What the agent sent is kept; what it has not sent yet stays on its device."""
    folder = ServerFolder(data.absolute())
    settings = settings_in(folder.path)
    known = read_agents(folder)
    if agent not in known:
        raise Rejected("unknown_agent", f"no agent '{agent}' has an account (there are: {', '.join(known) or 'none'})")
    write_agents(folder, {name: line for name, line in known.items() if name != agent})
    write_broker_files(folder, settings)
    _note(folder, "agent_account.ended", agent)
    say("agent.removed", agent=agent)


def _note(folder: ServerFolder, what: str, agent: str) -> None:
    """Put on record who gave an agent an account, or ended it."""
    records = open_records(Settings(data=folder.path).records_url)
    Audit(records).append(datetime.now(UTC), given_by(""), what, agent)


def _picture(code: str) -> str:
    """A QR code for a terminal. Raises ``ConfigError`` for what is longer than one can be."""
    import segno  # noqa: PLC0415 - few want one

    drawn = StringIO()
    try:
        segno.make_qr(code, error="l", boost_error=False).terminal(drawn, compact=True)
    except segno.DataOverflowError:
        raise ConfigError("the agent's part of the estate is too long for a QR code: carry the file") from None
    return drawn.getvalue()


def _check_name(agent: str) -> None:
    if agent in RESERVED:
        raise ConfigError(f"'{agent}' is the name of a process of the server: an agent is called otherwise")


def _extract(folder: ServerFolder, agent: str) -> tuple[str, dict[str, str]]:
    """The agent's part of the estate as the registry has it, and the site's own profiles in it by their ids.

    Raises ``ConfigError``.
    """
    settings = Settings(data=folder.path)
    records = open_records(settings.records_url)
    estate = Registry(records).load() if Registry(records).version() else None
    if estate is None or agent not in estate.agent:
        allowed = ", ".join(estate.agent) if estate else ""
        raise ConfigError(
            f"the estate has no agent '{agent}' (allowed: {allowed or 'none yet'}):"
            f" write it into {folder.site}, then 'meterhouse site apply {folder.site}'"
        )
    used = {meter.profile for meter in estate.meters if meter.agent == agent}
    return dump_part(estate, agent), own_profiles(settings.profiles, used) if settings.profiles else {}


def _estate_agents(folder: ServerFolder) -> list[str]:
    registry = Registry(open_records(Settings(data=folder.path).records_url))
    return list(registry.load().agent) if registry.version() else []

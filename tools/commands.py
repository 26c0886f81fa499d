"""The text of docs/commands.md: every command with its options and, where it has one, its JSON answer."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperGroup, TyperOption

from meterhouse.cli import EXIT_CONFIG, EXIT_FAILED, EXIT_INTERRUPTED, app
from meterhouse.output import EXIT_UNKNOWN, spoken_options

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = f"""# Commands

Written by `make docs` from the commands themselves.

**Language.** What a command prints is in the reader's language: `--language`, before or after the command, else
`METERHOUSE_LANGUAGE`, else the terminal's locale (`LC_ALL`, `LC_MESSAGES`, `LANG`), else English. Errors and help are
in English.

**For programs.** With `--json` a command prints one JSON document to standard output: the object shown below for each.
Names of fields and words of closed vocabularies stay as they are; more fields may come. Times are ISO 8601 in UTC,
numbers are numbers, what is absent is `null`. To standard error it then prints one JSON object a line:
`{{"warning": "…"}}`, and where it fails in the end
`{{"error": {{"exit_code": 2, "message": "…", "problems": [{{"where": "…", "what": "…", "allowed": "…"}}]}}}}`.

| exit code | what it means |
|---|---|
| 0 | done |
| {EXIT_FAILED} | it could not be done, now or ever; or what was looked at is not well, where the command says so |
| {EXIT_CONFIG} | a person must change something first: the command line, a setting, a document |
| {EXIT_UNKNOWN} | nothing is known of what was asked for (`account report`) |
| {EXIT_INTERRUPTED} | interrupted by Ctrl-C |

Every command takes `-h` and `--help`.
"""

WORDS = {str: "text", int: "number", float: "number", Decimal: "number", bool: "true or false", date: "day"}
WORDS |= {datetime: "time", type(None): "null", Any: "any", dict: "object"}


def commands_text() -> str:
    """The whole page."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return HEAD + "".join(f"\n{section}" for section in _sections(group, "meterhouse"))


def _sections(group: TyperGroup, path: str) -> Iterator[str]:
    context = typer.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = (
            group.resolve_command(context, [name])[1] if path == "meterhouse" else group.get_command(context, name)
        )
        if isinstance(command, TyperGroup):
            yield from _sections(command, f"{path} {name}")
        else:
            yield _section(command, f"{path} {name}")


def _section(command: Any, path: str) -> str:
    """One command: what it does, what it takes, what it answers."""
    usage = " ".join(command.collect_usage_pieces(typer.Context(command)))
    lines = [f"## `{path}`", "", _paragraphs(command.help)]
    if options := list(_option_rows(command)):
        lines += ["", f"`{path} {usage}`", "", "| option | |", "|---|---|", *options]
    if shape := getattr(command.callback, "answer", None):
        lines += ["", "JSON:", "", "| field | | |", "|---|---|---|", *_field_rows(shape, "")]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> str:
    """Help as Markdown: what is laid out by hand stays so."""
    prose, _, laid_out = text.partition("\b")
    return prose.strip() + (f"\n\n```\n{laid_out.strip()}\n```" if laid_out else "")


def _option_rows(command: Any) -> Iterator[str]:
    shared = {option.name for option in spoken_options(answers_json=True)}
    for one in command.params:
        if one.name in {"help", *shared}:
            continue
        names = ", ".join(f"`{name}`" for name in (one.opts if isinstance(one, TyperOption) else [one.name]))
        needed = " Needed." if one.required else ""
        yield f"| {names} | {one.help or ''}{needed} |"
    if getattr(command.callback, "answer", None):
        yield "| `--json` | One JSON document, for programs. |"


def _field_rows(shape: type, before: str) -> Iterator[str]:
    """A row for each field; those of a list's objects and of nested ones after it, by their path."""
    hints = get_type_hints(shape, include_extras=True)
    for field in fields(shape):
        hint, said = hints[field.name], ""
        if get_origin(hint) is Annotated:
            hint, said = get_args(hint)[:2]
        word, inner, path = *_word(hint), f"{before}{field.name}"
        yield f"| `{path}` | {word} | {said or _said_of(inner)} |"
        if inner:
            yield from _field_rows(inner, f"{path}[]." if word.startswith("list") else f"{path}.")


def _said_of(shape: type | None) -> str:
    """What an object's class says of it, as a cell."""
    return " ".join((shape.__doc__ or "").replace("``", "`").split()) if shape else ""


def _word(hint: Any) -> tuple[str, type | None]:
    """What a field's type is called, and the dataclass in it if there is one."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        found = [_word(one) for one in inner]
        return " or ".join(word for word, _ in found), next((shape for _, shape in found if shape), None)
    if origin in {list, tuple}:
        word, shape = _word(inner[0])
        return f"list of {word}s", shape
    if origin is dict:
        return "object", None
    return ("object", hint) if is_dataclass(hint) else (_plain_word(hint), None)


def _plain_word(hint: Any) -> str:
    """What a value without parts is called: words of a closed vocabulary are listed."""
    if hint in WORDS:
        return WORDS[hint]
    return " or ".join(f"`{one}`" for one in (get_args(hint) if get_origin(hint) is Literal else hint))

"""What a command says: sentences and tables in the reader's language, or one JSON document for a program.

How this run speaks is chosen once, by its options and environment, and holds for everything it says: like standard
output itself it belongs to the process, so no command hands it on.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from contextvars import ContextVar
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from facility.documents.allowed import allowed_of
from facility.errors import ConfigError, Problem, Rejected, quoted
from meterhouse.language import known_language, language_of_terminal
from meterhouse.table import plain, render_facts, render_table
from wording.texts import ABSENT, DEFAULT_LANGUAGE, LANGUAGES, Texts, load_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_LANGUAGE = ContextVar("language", default=DEFAULT_LANGUAGE)
_UNKNOWN: ContextVar[ConfigError | None] = ContextVar("unknown", default=None)
"""What is wrong with the language that the environment names, until an option names another."""

_AS_JSON = ContextVar("as_json", default=False)

EXIT_UNKNOWN = 3
"""What was asked for cannot be seen."""

METAVAR = "|".join(LANGUAGES)
IN_LANGUAGE = "The reader's language; else METERHOUSE_LANGUAGE, else the terminal's."

_OPTIONS = typer.Typer(rich_markup_mode=None, add_completion=False)

Command = TypeVar("Command", bound="Callable[..., None]")


def speak(language: str) -> None:
    """Say everything from now on in this language."""
    _LANGUAGE.set(language)


def speak_as_terminal(environ: Mapping[str, str]) -> None:
    """Say everything in the terminal's language. Whether an unknown one matters, the command's own option decides."""
    try:
        speak(language_of_terminal(environ))
    except ConfigError as error:
        _UNKNOWN.set(error)


def speak_json(wanted: bool) -> None:
    """Answer from now on with JSON, or with words."""
    _AS_JSON.set(wanted)


def speaks_json() -> bool:
    """Whether a program reads the answer."""
    return _AS_JSON.get()


def texts() -> Texts:
    """Every text in the reader's language."""
    return load_texts(_LANGUAGE.get())


def answers(shape: type) -> Callable[[Command], Command]:
    """Marks a command that answers with an instance of ``shape``, a dataclass: it takes ``--json``."""

    def mark(command: Command) -> Command:
        command.answer = shape  # type: ignore[attr-defined]
        return command

    return mark


def answer(what: object, in_words: Callable[[], str]) -> None:
    """Print the answer of a command: the JSON document that ``what`` is, or its words."""
    if said := _document(what) if _AS_JSON.get() else plain(in_words()):
        typer.echo(said)


def say(text_id: str, *, count: int | None = None, **params: object) -> None:
    """Print a sentence, of so many things; under ``--json`` nothing, for there the answer says it all."""
    t = texts()
    tell(t(text_id, **params) if count is None else t.counted(text_id, count, **params))


def tell(words: str) -> None:
    """Print what is in words already; under ``--json`` nothing."""
    if not _AS_JSON.get():
        typer.echo(plain(words))


def warn(sentence: str) -> None:
    """Print a warning, in the reader's words, beside the answer."""
    words = _line({"warning": sentence}) if _AS_JSON.get() else plain(texts()("cli.warning", what=sentence))
    typer.echo(words, err=True)


def tell_failure(error: Exception, code: int) -> int:
    """Print why a command failed, in sentences or under ``--json`` as one object, and return the exit code."""
    _in_plain_words(error)
    if _AS_JSON.get():
        words = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        failure = {"exit_code": code, "message": words or "aborted", "problems": _problems(error)}
        typer.echo(_line({"error": failure}), err=True)
    elif isinstance(error, typer.TyperException) and hasattr(error, "show"):
        error.show()  # with the command's usage
    else:
        detail = error.detail if isinstance(error, Rejected) else ""  # its slug is for programs
        typer.echo(plain(detail or error) or "aborted", err=True)
    return code


def _in_plain_words(error: Exception) -> None:
    """What is wrong with an option's value, as documents say it; pydantic's words are for programmers."""
    errors = getattr(error.__cause__, "errors", None)
    if isinstance(error, typer.BadParameter) and errors is not None:
        detail = errors()[0]
        allowed = allowed_of(detail["type"], detail.get("ctx") or {}) or _of_words(detail["msg"])
        error.message = f"{quoted(str(detail['input']))} (allowed: {allowed})"


def _of_words(message: str) -> str:
    """What is allowed, out of a sentence of Typer's about what is not."""
    if found := re.search(r" is not one of (.+?)\.?$", message):
        return found[1].replace("'", "")
    if "does not match the format" in message:
        return allowed_of("date_parsing", {})
    return message.removeprefix("Value error, ")


def _problems(error: Exception) -> list[dict[str, str]]:
    """What a person must change, one by one; none where there is nothing to change."""
    found = error.problems if isinstance(error, ConfigError) else ()
    return [asdict(one if isinstance(one, Problem) else Problem("", one)) for one in found]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> str:
    """Rows under headings, which are named by the ids of their texts; on a terminal it is no wider than that."""
    return render_table([texts()(text_id) for text_id in columns], rows, right, terminal_width())


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values below each other; on a terminal they are no wider than that."""
    return render_facts(pairs, terminal_width())


def terminal_width() -> int | None:
    """Columns of the terminal that the answer goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None


def shown(value: object) -> str:
    """A cell of a table; a dash for what is absent."""
    return ABSENT if value is None or value == "" else str(value)


def _document(what: object) -> str:
    """Times in ISO 8601 and UTC, numbers as numbers, what is absent (NaN too) as null."""
    from msgspec.json import Encoder, format  # noqa: A004, PLC0415 - most commands print words

    return format(Encoder(decimal_format="number").encode(what)).decode()


def _line(what: dict[str, Any]) -> str:
    return json.dumps(what, ensure_ascii=False)


def _hear_language(asked: str) -> None:
    if asked:
        speak(known_language(asked, "--language"))
    elif unknown := _UNKNOWN.get():
        raise unknown


@_OPTIONS.command()
def _spoken(
    *,
    language: Annotated[
        str, typer.Option("--language", metavar=METAVAR, expose_value=False, callback=_hear_language, help=IN_LANGUAGE)
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", expose_value=False, callback=speak_json, help="One JSON document, for programs.")
    ] = False,
) -> None:
    """Never run: its options are what every command takes."""


def spoken_options(*, answers_json: bool) -> list[Any]:
    """The options of a command that say how it speaks: ``--language``, and ``--json`` where it has an answer."""
    language, as_json = typer.main.get_command(_OPTIONS).params
    return [language, as_json] if answers_json else [language]

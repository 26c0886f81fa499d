"""One word per idea: what the glossary says is not used gives no hit in names, docstrings, pages and texts."""

import ast
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def sources(*folders):
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [path for path in found if "node_modules" not in path.parts]


FILES = sources(*PACKAGES, "tools")
BESIDE = sources("bench", "tests")
"""Here other words may stand for what they test or measure; a name that says nothing is refused here as well."""

PAGES = [
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").glob("*.md"))
    if page.name not in {"glossary.md", "CHANGELOG.md"}
]
TEXTS = sorted((ROOT / "wording/locale/en").rglob("*.po"))

SAYS_NOTHING = {
    *("util", "utils", "helper", "helpers", "common", "core", "misc", "manager", "service", "handler", "processor"),
    *("data", "info", "get"),
}
"""Names of modules, classes and functions say what these are or do. These words would fit anything."""

OF_LIBRARIES = {
    "meterhouse/command_table.py:get_command": "click asks a group by this name",
    "process/health.py:service_actions": "socketserver calls a subclass by this name",
    "tools/catalogues.py:handle_data": "html.parser calls a subclass by this name",
}


@dataclass(frozen=True)
class Unused:
    """A row of the glossary: words that are not used, and the folders and files where they mean something else."""

    parts: frozenset
    names: frozenset
    spared: tuple

    def hits(self, file):
        words, names = found_in(file)
        return (words & (self.parts | {f"{word}s" for word in self.parts})) | (names & self.names)

    def is_spared(self, file):
        return any(f"{file.relative_to(ROOT)}".startswith(place) for place in self.spared)


def rows():
    section = (ROOT / "docs/glossary.md").read_text().partition("## Words that are not used")[2].partition("\n## ")[0]
    for line in section.splitlines()[1:]:
        if line.startswith("| ") and not line.startswith("| not |"):
            words, _, spared = (cell.strip() for cell in line.strip("|").split(" | "))
            said = [word.strip() for word in words.split(",")]
            yield Unused(
                frozenset(word for word in said if "`" not in word),
                frozenset(word.strip("`") for word in said if "`" in word),
                tuple(re.findall(r"`([^`]+)`", spared)),
            )


ROWS = list(rows())


def split(name):
    """``HourCounts`` and ``hour_counts`` → hour, counts."""
    return [word.lower() for part in name.split("_") for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", part)]


def names_of(tree):
    """Every name that a file gives to something: line, kind, name."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, "variable", name
            case ast.arg(arg=name):
                yield node.lineno, "argument", name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, "function", name
            case ast.ClassDef(name=name):
                yield node.lineno, "class", name


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def plain_words(text):
    """Words of a text. What is in ``code`` is somebody's name; names are looked at where they are given."""
    return {word.lower() for word in re.findall(r"[^\W\d_]+", re.sub(r"`+[^`]+`+", " ", text))}


@cache
def found_in(file):
    """Words that a file says, as parts of names or in its texts, and whole names that it gives."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".po":
        return plain_words(" ".join(re.findall(r'^(?:msgstr )?"(.*)"$', text, re.MULTILINE))), frozenset()
    if file.suffix == ".md":
        return plain_words(text), frozenset()
    tree = ast.parse(text)
    names = {name for _, _, name in names_of(tree)} | {file.stem}
    words = {word for name in names for word in split(name)} | plain_words(" ".join(docstrings(tree)))
    return words, frozenset(names)


def test_the_table_is_read_whole():
    assert len(ROWS) > 15
    assert all(row.parts or row.names for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(sorted(row.parts | row.names)))
def test_a_word_that_is_not_used_gives_no_hit(row):
    more = [] if row.parts else BESIDE
    hits = {
        f"{file.relative_to(ROOT)}": found
        for file in (*FILES, *PAGES, *TEXTS, *more)
        if not row.is_spared(file) and (found := row.hits(file))
    }
    assert hits == {}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.spared], ids=lambda row: "-".join(sorted(row.parts | row.names))
)
def test_no_place_is_spared_for_nothing(row):
    files = [file for file in (*FILES, *PAGES, *TEXTS) if row.hits(file)]
    needed = {place for place in row.spared for file in files if f"{file.relative_to(ROOT)}".startswith(place)}
    assert needed == set(row.spared)


def test_modules_classes_and_functions_are_named_for_what_they_are_or_do():
    found = {f"{path.relative_to(ROOT)}" for path in FILES if SAYS_NOTHING & set(split(path.stem))}
    for path in FILES:
        for _, kind, name in names_of(ast.parse(path.read_text())):
            if kind in {"class", "function"} and SAYS_NOTHING & set(split(name)):
                found.add(f"{path.relative_to(ROOT)}:{name}")
    assert found == set(OF_LIBRARIES)

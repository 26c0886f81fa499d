"""The text of docs/site.md: every key of a site.yaml, from its schema and from an example that has them all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_profiles import load_profiles
from facility.documents.part import parse
from facility.documents.site import load_site
from facility.documents.site_schema import SiteDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facility.documents.part import Document

EXAMPLE = Path(__file__).parent.parent / "docs" / "site-example.yaml"
HEAD = """# site.yaml

Written by `make docs` from the schema (`facility/documents/site_schema.py`) and from
[an example with every key](site-example.yaml), which is checked as any other file. `meterhouse site check FILE` says
everything that is wrong with a file, with its line and with what is allowed; it refuses what a process would refuse or
leave out later.

What is written without quotes stays what was written where a text belongs: `00123456` and `1e5` are ids as they stand.
**Bold** keys must be there.
"""
COLUMNS = "| key | type | allowed | default | example | meaning |\n|---|---|---|---|---|---|\n"
_COMMENT = re.compile(r"\s#\s(.*)$")
_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_FORMATS = {"date": "date", "date-time": "date and time"}


def site_reference_text() -> str:
    """The page. Raises ``ValueError`` for a key without an example or a meaning, ``ConfigError`` for a bad example."""
    text = EXAMPLE.read_text(encoding="utf-8")
    load_site(text, EXAMPLE.name, load_profiles(), reader="registry")
    return HEAD + "".join(_Page(text).sections())


class _Page:
    def __init__(self, text: str) -> None:
        self._document: Document = parse(text, EXAMPLE.name)
        self._lines = text.splitlines()
        schema = SiteDocument.model_json_schema()
        self._parts: dict[str, Any] = {**schema["$defs"], "": schema}

    def sections(self) -> Iterator[str]:
        """A section for each part of a document, the whole first."""
        shown: set[str] = set()
        pending: list[tuple[str, str, list[tuple[Any, ...]]]] = [("", "The whole document", [()])]
        while pending:
            part, title, places = pending.pop(0)
            if part in shown:
                continue
            shown.add(part)
            rows = []
            for key, schema in self._parts[part]["properties"].items():
                found = [(*place, key) for place in places if key in self._node(place)]
                rows.append(self._row(part, key, schema, found))
                if below := self._below(schema):
                    pending.append((below, _title(key, below), self._inside(found)))
            about = self._parts[part]["description"].replace("``", "`")
            yield f"\n## {title}\n\n{about}\n\n{COLUMNS}{''.join(rows)}"

    def _row(self, part: str, key: str, schema: dict[str, Any], found: list[tuple[Any, ...]]) -> str:
        lines = (self._lines[self._document.line(place) - 1] for place in found)
        own = (line for line in lines if line.strip().removeprefix("- ").startswith(f"{key}:"))
        meanings = [match[1] for line in own if (match := _COMMENT.search(line))]
        if not meanings:
            raise ValueError(f"{EXAMPLE.name}: no line of '{key}' ({part or 'the document'}) says what it means")
        must = key in self._parts[part].get("required", [])
        name = f"**`{key}`**" if must else f"`{key}`"
        below = self._below(schema)
        default = "" if must else "none" if below else _written(schema.get("default")) or "none"
        title = _title(key, below)
        example = f"see [{title}](#{title})" if below else f"`{_written(self._node(found[0])) or chr(34) * 2}`"
        cells = (name, self._type(schema), self._allowed(schema), default, example, meanings[0])
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"

    def _node(self, place: tuple[Any, ...]) -> Any:
        node = self._document.tree
        for step in place:
            node = node[step]
        return node

    def _inside(self, found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Where the parts are that stand at places, or in lists there; a bare text in the place of a name is none."""
        inside: list[tuple[Any, ...]] = []
        for place in found:
            node = self._node(place)
            inside += [(*place, i) for i in range(len(node))] if isinstance(node, list) else [place]
        return [place for place in inside if isinstance(self._node(place), dict)]

    def _plain(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema without its reference, and without the choice of nothing."""
        options = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
        one = options[0].get("allOf", options)[0]
        return self._parts[one["$ref"].rpartition("/")[2]] if "$ref" in one else {**one, **schema}

    def _below(self, schema: dict[str, Any]) -> str:
        """The name of the part that stands under a key, or in a list there."""
        text = str({key: value for key, value in schema.items() if key != "default"})
        names = re.findall(r"#/\$defs/(\w+)", text)
        return next((name for name in names if "properties" in self._parts[name]), "")

    def _type(self, schema: dict[str, Any]) -> str:
        plain = self._plain(schema)
        if plain.get("type") == "array":
            return f"list of {self._type(plain['items'])}"
        if plain.get("type") == "object":
            return "part" if "properties" in plain else f"mapping to {self._type(plain['additionalProperties'])}"
        if "enum" in plain or "const" in plain:
            return "word"
        return _FORMATS.get(plain.get("format", ""), _KINDS.get(plain.get("type", ""), "text"))

    def _allowed(self, schema: dict[str, Any]) -> str:
        plain = self._plain(schema)
        inner = self._plain(plain.get("items") or {}) if plain.get("type") == "array" else plain
        if plain.get("type") == "object" and "propertyNames" in plain:
            inner = self._plain(plain["propertyNames"])
        if words := schema.get("allowed") or inner.get("enum"):
            return words if isinstance(words, str) else ", ".join(f"`{word}`" for word in words)
        bounds = {
            "minimum": "from {}", "exclusiveMinimum": "more than {}", "maximum": "up to {}", "pattern": "`{}`",
            "minItems": "at least {}", "minLength": "not empty",
        }  # fmt: skip
        source = {**inner, **plain}
        return ", ".join(words.format(source[name]) for name, words in bounds.items() if name in source)


def _title(key: str, below: str) -> str:
    return "name" if below == "NamePart" else key


def _written(value: Any) -> str:
    """A value as it stands in a document, on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_written(one)}' for key, one in value.items())}}}" if value else ""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]" if value else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)

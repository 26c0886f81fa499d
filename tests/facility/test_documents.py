"""What a text may do to its reader: nothing, however it is written."""

import datetime as dt

import pytest

from facility.documents.part import DocumentPart, parse
from facility.documents.site_schema import NamePart
from facility.errors import ConfigError

NINE = range(1, 9)
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in NINE)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 100))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "stands for more than"),
        (CHAIN, "nested too deeply"),
        ("\n".join(" " * i + "a:" for i in range(800)), "nested too deeply"),
        ("version: " + "1" * 5000, "a value cannot be read"),
        ("valid_from: 2022-13-01", "a value cannot be read: month must be in 1..12"),
        ("a: !!float foo", "a value cannot be read"),
        ("a: !!bool foo", "a value cannot be read"),
        ("a" * (16 * 1024 * 1024 + 1), "at most"),
        ("a: \0", "not YAML"),
    ],
)
def test_a_hostile_text_is_one_clear_sentence(text, said):
    with pytest.raises(ConfigError) as raised:
        parse(text, "site.yaml")
    assert str(raised.value).startswith("site.yaml")
    assert said in str(raised.value)


def test_a_tag_makes_no_object():
    tree = parse("a: !!python/object/apply:os.getcwd []", "site.yaml").tree
    assert isinstance(tree["a"], list)


def test_an_alias_is_what_it_stands_for():
    assert parse("a: &a {x: 1}\nb: *a", "site.yaml").tree["b"]["x"] == 1


class Item(DocumentPart):
    """Something of every kind."""

    id: str
    name: NamePart | None = None
    words: dict[str, float] = {}
    labels: list[str] = []
    ratio: float = 1.0
    digits: int | None = None
    ratios: dict[str, float] = {}
    since: dt.date | None = None
    at: dt.datetime | None = None


ODD = ["0x00158d0001d2a3f4", "00123456", "1_000", "0o17", "0b11", "1e5", "1.10", ".5", "+5", "-0", "on", "yes", "true"]
ODD += [
    "False",
    "2026-01-02",
    "2026-01-02T10:00:00Z",
    "2026-01-02 10:00",
    "12:30:00",
    "1:30",
    ".inf",
    ".NaN",
    "9" * 400,
]


@pytest.mark.parametrize("odd", ODD)
def test_a_text_without_quotes_is_what_was_written(odd):
    """YAML reads 4919 from ``0x1337``: an id of a device is no number."""
    text = f"id: {odd}\nname: {odd}\nlabels: [{odd}, x]\nwords: {{{odd}: 1}}\n"
    read = parse(text, "a.yaml").validate(Item)
    assert (read.id, read.name.en, read.labels, read.words) == (odd, odd, [odd, "x"], {odd: 1.0})


def test_a_text_is_what_was_written_behind_aliases_and_merged_keys_too():
    text = "words: {}\nname: &n 007\nlabels: [*n, '007']\n<<: {id: 0x10}\n"
    read = parse(text, "a.yaml").validate(Item)
    assert (read.id, read.name.en, read.labels) == ("0x10", "007", ["007", "007"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id:", "a.yaml:1: id is empty"),
        ("id: ~", "a.yaml:1: id is empty"),
        ("id: [1]", "a.yaml:1: id is a list (allowed: a text)"),
        ("id: a\nratio: true", "a.yaml:2: ratio is 'true'"),
        ("id: a\ndigits: false", "a.yaml:2: digits is 'false'"),
        ("id: a\nratios: {x: true}", "a.yaml:2: ratios.x is 'true'"),
        ("id: a\nsince: 20260914", "a.yaml:2: since is 'the number 20260914'"),
        ("id: a\nsince: '0'", "a.yaml:2: since is 'the number 0'"),
        ("id: a\nat: 2026", "a.yaml:2: at is 'the number 2026'"),
        ("id: a\nat: 2026-13-01", "a.yaml:2: a value cannot be read: month must be in 1..12 (allowed: quotes"),
        ("id: a\nratio: " + "1" * 5000, "a.yaml:2: a value cannot be read"),
        ('id: "\\ud83d"', "holds what no text may"),
        ('id: "a\\0b"', "holds what no text may"),
        ('id: a\nwords: {"\\0": 1}', "holds what no text may"),
        ("id: " + "x" * 70_000 + "\nratio: " + "y" * 70_000, "ratio is 'yyy"),
    ],
)
def test_what_could_only_be_guessed_is_refused_with_its_line(text, said):
    with pytest.raises(ConfigError) as raised:
        parse(text, "a.yaml").validate(Item)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 300

"""What a text may do to its reader: nothing, however it is written."""

import pytest

from facility.documents.part import parse
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

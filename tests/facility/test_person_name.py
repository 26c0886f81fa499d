"""What a person may be called."""

from __future__ import annotations

import pytest

from facility.errors import ConfigError
from facility.person_name import MOST_CHARS, person_name


@pytest.mark.parametrize(
    ("text", "name"),
    [("Ada", "Ada"), ("  Kim Lee ", "Kim Lee"), ("李工", "李工"), ("o'Neil-2", "o'Neil-2"), ("Zoe\u0308", "Zo\u00eb")],
)
def test_names_are_kept_in_one_way(text, name):
    assert person_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "\u2003",
        "Ada\nKim",
        "Ada\x1b[31m",
        "Ada\x00",
        "\u202eadA",
        "Ada\u2066",
        "A\u200bda",
        "Ada\u00ad",
        "Ada\ufeff",
        "Ada\u2028Kim",
        "Ada\u00a0Lee",
        "\ud800",
        "---",
        "A" * (MOST_CHARS + 1),
    ],
)
def test_names_that_could_pass_for_others_are_refused_in_words_that_can_be_seen(text):
    with pytest.raises(ConfigError) as refused:
        person_name(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300

"""Tables as a terminal shows them: aligned whatever the script, no wider than it is, and obeyed by nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.table import render_facts, render_table, text_width, wrapped

ROWS = [
    ("7", "滨河图书馆无人时，图书馆总表每小时比正常多用", "292.00"),
    ("12", "Library main meter: 10.6 kWh an hour more than normal", "4.50"),
]


def test_columns_line_up_with_wide_characters():
    lines = render_table(("name", "kWh"), [("总表", "1"), ("main", "12")], right=(1,)).splitlines()
    assert lines[2:] == ["总表    1", "main   12"]


def test_what_is_drawn_over_the_character_before_takes_no_room():
    lines = render_table(("x", "y"), [("e\u0301te\u0301", "1"), ("\u200fete", "2")]).splitlines()
    assert lines[2:] == ["e\u0301te\u0301  1", "\u200fete  2"]


def test_without_a_width_every_row_is_one_line():
    assert len(render_table(("id", "what", "cost"), ROWS, right=(0, 2)).splitlines()) == 4


def test_a_table_is_no_wider_than_its_terminal_and_cuts_no_word():
    text = render_table(("id", "what", "cost"), ROWS, right=(0, 2), width=40)
    assert max(map(text_width, text.splitlines())) <= 40
    assert text.splitlines()[2:4] == [
        " 7  滨河图书馆无人时，图书馆总表  292.00",
        "    每小时比正常多用",
    ]
    assert "kWh an hour" in " ".join(line[4:34].strip() for line in text.splitlines()[4:])


def test_where_words_must_be_cut_the_last_column_gives_way_first():
    cells = ("a" * 20, "b" * 20)
    text = render_table(("first", "second"), [cells], width=34)
    assert text.splitlines()[2:] == [f"{'a' * 20}  {'b' * 12}", f"{' ' * 20}  {'b' * 8}"]


def test_a_table_that_is_too_wide_for_its_terminal_is_told_row_by_row():
    rows = [("main", "2026-11-01 00:00", "75,128.00", "kWh"), ("总表", "", "9.5", "m³")]
    text = render_table(("meter", "from", "opening", "unit"), rows, right=(2,), width=30)
    assert text.splitlines() == [
        "  meter    main", "  from     2026-11-01 00:00", "  opening  75,128.00", "  unit     kWh", "",
        "  meter    总表", "  opening  9.5", "  unit     m³",
    ]  # fmt: skip


def test_a_table_that_cannot_be_made_to_fit_is_told_whole():
    text = render_table(("n",), [("123456789012",)], right=(0,), width=6)
    assert "123456789012" in text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Mn"])), st.integers(2, 60))
def test_wrapping_loses_nothing_but_spaces_and_keeps_to_the_width(text, width):
    lines = wrapped(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("evil", ["\x1b[2J", "a\rb", "\x9b31m", "\u202edetalutca", "\t"])
def test_nothing_that_a_terminal_obeys_comes_out(evil):
    for text in (render_table(("x",), [(evil,)]), render_facts([("x", evil)])):
        assert not any(char in text for char in "\x1b\r\x9b\u202e\t")
        assert "\N{REPLACEMENT CHARACTER}" in text


def test_facts_go_on_below_their_value():
    lines = render_facts([("why", "one two three four"), ("很长的名称", "a\nb")], width=24)
    assert lines.splitlines() == [
        "  why         one two",
        "              three four",
        "  很长的名称  a",
        "              b",
    ]


def test_no_line_begins_with_the_punctuation_of_the_one_before():
    for text in ("请运行（meterhouse account proposals，再 dismiss-entry 1）", "读数 12、读数 345）。"):
        for width in range(12, 40):
            assert not any(line.lstrip()[:1] in "，。：；、）！？" for line in wrapped(text, width))

"""What the handbooks say can be typed is a command with these options; what they say stands on a page stands there."""

import re
from functools import cache

import pytest
from rigs.bare_install import ROOT
from rigs.command_line import meterhouse

from facility.work import Verdict
from wording.texts import load_texts

HANDBOOK = ROOT / "docs" / "handbook"
PAGES = sorted(HANDBOOK.glob("administrator*.md"))
SPAN = re.compile(r"`([^`\n]*\bmeterhouse [a-z][^`\n]*)`|^((?:docker .* )?meterhouse [a-z].*)$", re.MULTILINE)


def commands(page):
    """Words after ``meterhouse``, as they stand on a page."""
    found = {" ".join(filter(None, one)).partition("meterhouse ")[2] for one in SPAN.findall(page.read_text("utf-8"))}
    return sorted(found)


@cache
def page_of(words):
    """What a command says of itself; empty where there is none of that name."""
    done = meterhouse(*words, "--help")
    return done.stdout if done.returncode == 0 and " ".join(words) in done.stdout else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_can_be_typed_as_it_stands_there(page):
    found = commands(page)
    assert len(found) > 15
    for command in found:
        words = [word for word in command.split() if word != "--help"]
        names = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
        text = page_of(tuple(names[:2])) or page_of(tuple(names[:1]))
        assert text, command
        for option in re.findall(r"(--[a-z-]+)", command.replace("--help", "")):
            assert re.search(rf"(?<!\S){option}\b", text), f"{command}: {option}"


def test_both_languages_have_the_same_tasks_with_the_same_commands():
    english, chinese = (page.read_text("utf-8") for page in PAGES)
    assert len(re.findall(r"^## ", english, re.MULTILINE)) == len(re.findall(r"^## ", chinese, re.MULTILINE))
    assert commands(PAGES[0]) == commands(PAGES[1])


CARETAKERS = {"en": HANDBOOK / "facilities.md", "zh-Hans": HANDBOOK / "facilities.zh-Hans.md"}
ON_PAGES = (
    *("orders.mine", "order.accept", "order.refuse", "order.arrive", "order.finish", "act.snooze", "casework.title"),
    *(f"verdict.{one}" for one in Verdict),
    "mailbox.title",
)


@pytest.mark.parametrize(("language", "page"), CARETAKERS.items(), ids=list(CARETAKERS))
def test_a_caretaker_finds_on_the_pages_what_the_handbook_calls_it(language, page):
    text, t = page.read_text("utf-8"), load_texts(language)
    assert [key for key in ON_PAGES if t(key) not in text] == []
    saved = re.escape(t("alert.saving", qty="QTY")).replace("QTY", r" ?6\.7 m³ ?")
    assert re.search(saved, text)
    pictures = re.findall(r'src="([^"]+)"', text)
    assert len(pictures) == 4
    assert all((page.parent / one).stat().st_size for one in pictures)
    assert all(page_of(tuple(one.split()[:2])) or page_of(tuple(one.split()[:1])) for one in commands(page))


def test_a_caretaker_reads_the_same_in_both_languages():
    heads, rows = (
        [len(re.findall(one, page.read_text("utf-8"), re.MULTILINE)) for page in CARETAKERS.values()]
        for one in (r"^## ", r"^\| ")
    )
    assert heads[0] == heads[1] == 6
    assert rows[0] == rows[1]

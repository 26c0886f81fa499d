"""What the administrator's handbook says can be typed: each command is one, and takes the options that stand there."""

import re
from functools import cache

import pytest
from rigs.bare_install import ROOT
from rigs.command_line import meterhouse

PAGES = sorted((ROOT / "docs" / "handbook").glob("administrator*.md"))
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

"""Letters that stay on this machine: each once, whole, the newest first, and not without end."""

import os

import pytest

from analytics.letters.courier import Post, UndeliveredError
from analytics.letters.couriers import read_couriers
from facility.errors import ConfigError
from stores.mailbox import MOST_KEPT, KeptLetter, Mailbox


def letter(name):
    return KeptLetter(name, "kim@demo.invalid", f"About {name} <b>", "■ 水\nhttps://x.example/a\n")


def test_the_same_letter_again_takes_its_own_place(tmp_path):
    box = Mailbox(tmp_path / "box")
    for one in ("a", "b", "a"):
        box.put(letter(one))
    assert sorted(one.id for _, one in box.letters()) == ["a", "b"]


def test_the_newest_is_first_and_the_oldest_make_room(tmp_path):
    box = Mailbox(tmp_path)
    for n in range(MOST_KEPT):
        (tmp_path / f"{n}.letter").write_text("{}")
        os.utime(tmp_path / f"{n}.letter", (n + 1, n + 1))
    box.put(letter("new"))
    assert len(list(tmp_path.iterdir())) == MOST_KEPT
    assert not (tmp_path / "0.letter").exists()
    assert [one for _, one in box.letters()] == [letter("new")], "what is no letter is passed over"


def test_a_mailbox_that_nobody_has_used_is_empty(tmp_path):
    assert list(Mailbox(tmp_path / "none").letters()) == []


def test_a_folder_that_cannot_be_written_has_not_taken_the_letter(tmp_path):
    (tmp_path / "box").write_text("a file")
    courier = read_couriers(f"box=folder://{tmp_path}/box")["box"]
    with pytest.raises(UndeliveredError, match="cannot be written") as caught:
        courier.deliver(Post("a", "", "s", "b"))
    assert not caught.value.may_have_arrived


@pytest.mark.parametrize("url", ["folder:", "folder:///", "folder://host/path", "folder:box", "folder://box"])
def test_an_address_of_no_folder_is_refused(url):
    with pytest.raises(ConfigError, match="folder:///A/FOLDER"):
        read_couriers(f"box={url}")

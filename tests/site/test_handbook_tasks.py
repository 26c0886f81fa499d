"""The administrator's handbook, task by task, word for word, as a new user follows it from an empty folder."""

import re
import shlex
import shutil

import pytest
from rigs.bare_install import ROOT
from rigs.command_line import meterhouse
from rigs.patience import until
from rigs.postgres_server import Databases, PostgresServer
from rigs.released_town import RELEASES, unpacked
from rigs.site_server import SiteServer

from stores.backup_note import read_backup_note

FOLDER = ROOT / "docs" / "handbook"
ENGLISH, CHINESE = ((FOLDER / name).read_text("utf-8") for name in ("administrator.md", "administrator.zh-Hans.md"))
SPAN = re.compile(r"`([^`\n]*\bmeterhouse [a-z][^`\n]*)`|^((?:docker .* )?meterhouse [a-z].*)$", re.MULTILINE)
SETTING = re.compile(r"`(METERHOUSE_[A-Z_]+)=([^`\s]+)`")
NOT_HERE = ("docker ",)
"""What needs containers: ``tests/deploy/test_compose.py`` and ``tests/deploy/test_native_stack.py`` run that."""


def tasks(page):
    """Of each section its commands, in the order in which they stand there."""
    parts = re.split(r"^## .*$", page, flags=re.MULTILINE)[1:]
    return [[" ".join(filter(None, one)) for one in SPAN.findall(part)] for part in parts]


LOOK, SET_UP, NOW, GOOD, BACK, UPGRADE, MOVE, OFFLINE, LET_IN, HAND_OUT, AGENT = tasks(ENGLISH)


class Administrator:
    """Types what stands on the page, with the names of their own server in the place of the page's."""

    def __init__(self, server, place):
        self.server, self.place, self.typed = server, place, []
        self.names = {r"\bDATA\b": str(server.folder), "/mnt/backups": str(place / "backups"), "KEYFILE": "key"}

    def type(self, command, *codes):
        self.typed.append(command)
        if command.startswith(NOT_HERE):
            return ""
        for name, own in (self.names | {r"\bFILE\b": str(self.newest)}).items():
            command = re.sub(name, own, command)
        words = shlex.split(command)
        at = words.index("meterhouse")
        said = dict(word.split("=", 1) for word in words[:at])
        done = meterhouse(*words[at + 1 :], data=self.server.folder, **said)
        assert done.returncode in (codes or (0,)), (command, done.stdout, done.stderr, self.server.logs())
        return done.stdout

    @property
    def newest(self):
        return max((self.place / "backups").glob("*.tar.age"), default="none yet")

    def set(self, name, value):
        for own_name, own in self.names.items():
            value = re.sub(own_name, own, value)
        self.server.set(name, value)


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as server:
        yield server.url(Databases(server).make(template="template1"))


@pytest.mark.long
def test_each_task_is_done_by_typing_what_stands_there(tmp_path, monkeypatch, postgres):
    monkeypatch.chdir(tmp_path)
    with SiteServer(tmp_path / "data") as server:
        server.make()
        server.start()
        typing = Administrator(server, tmp_path)
        for command in LOOK:
            typing.type(command, 0, 1)  # a new server has no backup yet
        # Set up backups, once
        new_key, restart, in_compose = SET_UP
        key = typing.type(new_key).splitlines()[-1]
        assert key.startswith("AGE-SECRET-KEY-")
        (tmp_path / "key").write_text(key)
        for name, value in SETTING.findall(ENGLISH):
            typing.set(name, value)
        typing.type(restart)
        typing.type(in_compose)
        until(lambda: read_backup_note(server.folder).made_at, says=server.logs, pause_s=0.5)
        # Write a backup now; see whether it is good
        (now,) = NOW
        assert "readings" in typing.type(now)
        (check,) = GOOD
        assert "whole" in typing.type(check)
        # Put a server back: its disk has died
        down, restore, up, status, accept, in_compose = BACK
        typing.type(down)
        shutil.rmtree(server.folder)
        assert "Restored to" in typing.type(restore)
        typing.type(up)
        assert "have come back" in typing.type(status, 0, 1)
        typing.type(accept, 0, 2)  # nothing was shipped elsewhere
        typing.type(in_compose)
        move_records(typing, postgres)
        # Let somebody in, hand out data, take an agent out of use
        sign_in, people, match = LET_IN
        assert "/sign-in?token=" in typing.type(sign_in)
        typing.type(people, 0, 2)
        typing.type(match, 2)  # there is nobody of that name yet
        (export, report) = HAND_OUT
        typing.names |= {r"\bID\b": "hall"}
        typing.type(export, 0, 2)
        typing.type(report, 0, 2)
        (agent,) = AGENT
        typing.type(agent)
        assert OFFLINE == []
        assert set(typing.typed) >= {command for task in tasks(ENGLISH) for command in task} - set(UPGRADE)
    assert [sorted(task) for task in tasks(CHINESE)] == [sorted(task) for task in tasks(ENGLISH)]


def move_records(typing, postgres):
    """To PostgreSQL, and back; the audit trail holds each time."""
    folder = typing.server.folder
    down, migrate, up, migrate_back = MOVE
    typing.names[r"postgresql\+psycopg://USER:WORD@HOST/DATABASE"] = postgres
    typing.type(down)
    typing.type(migrate)
    key_file = re.search(r"`\?(audit_key=[^`]+)`", ENGLISH)[1]
    typing.set("METERHOUSE_RECORDS", f"{postgres}&{key_file}")
    typing.type(up)
    assert meterhouse("audit", "verify", data=folder).returncode == 0
    typing.type(down)
    (folder / "records.db").rename(typing.place / "away.db")
    typing.type(migrate_back)
    typing.set("METERHOUSE_RECORDS", "")
    typing.type(up)
    assert meterhouse("audit", "verify", data=folder).returncode == 0


@pytest.mark.long
def test_a_new_release_and_the_way_back(tmp_path, monkeypatch):
    """With the folder that the release before has left."""
    monkeypatch.chdir(tmp_path)
    town = unpacked(RELEASES[-1], tmp_path)
    with SiteServer(town.home / "data") as server:
        said = {"LISTEN": server.listen, "BROKER_LISTEN": f"127.0.0.1:{server.broker}", "SETTINGS_VERSION": 1}
        lines = [f"METERHOUSE_{name}={value}\n" for name, value in said.items()]
        (server.folder / "settings.env").write_text("".join(lines))  # as init writes them
        typing = Administrator(server, tmp_path)
        backup, down, upgrade, up, recomputed, down_again, rollback, up_again = UPGRADE
        (tmp_path / "key").write_text(meterhouse("backup", "--new-key", data=server.folder).stdout)
        typing.type(backup)
        typing.type(down, 1)  # nothing runs yet
        assert "before-upgrade" in typing.type(upgrade)
        typing.type(up)
        typing.type(recomputed)
        typing.type(down_again)
        if "Rolled back" not in typing.type(rollback, 0, 2):  # something came meanwhile, which was counted
            typing.type(f"{rollback} --give-up")
        typing.type(upgrade)  # this release in the place of the old one
        typing.type(up_again)
        typing.type(down)

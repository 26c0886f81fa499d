"""A join file as a picture: what a phone reads from a terminal's QR code is all that a device needs."""

import json
import zlib
from base64 import b32encode
from dataclasses import asdict

import pytest
import segno
from rigs.certificates import Authority
from rigs.command_line import meterhouse
from rigs.site_estate import two_agents
from rigs.site_server import SiteServer

from facility.errors import ConfigError
from meterhouse.up.join import CODE, PLAIN_VERSION, JoinFile, read_join_file
from stores.records.audit import Audit, AuditFilter
from stores.records.database import open_records


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    ca = Authority(tmp_path_factory.mktemp("ca")).ca.read_text()
    return JoinFile(PLAIN_VERSION, "edge-a", "192.0.2.1", 8883, "word", ca, "site: 市政厅\n" * 20)


REFUSED = "is no whole file of 'meterhouse agent add'"


def in_lines(code):
    return "\r\n".join(code[n : n + 40] for n in range(0, len(code), 40))


@pytest.mark.parametrize("read", [str, str.lower, lambda code: f"\n {code}\n", in_lines])
def test_the_text_of_a_code_is_the_file(tmp_path, file, read):
    (tmp_path / "x.txt").write_text(read(file.code))
    assert read_join_file(tmp_path / "x.txt") == file
    assert set(file.code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:-"), "what a QR code holds most of"


BOMB = CODE + b32encode(zlib.compress(b" " * 9_000_000)).decode()


@pytest.mark.parametrize(
    "text", [CODE, f"{CODE}AAAA", f"{CODE}!", BOMB, lambda code: code[:-9], lambda code: code[:60]]
)
def test_a_text_that_is_none_is_refused(tmp_path, file, text):
    (tmp_path / "x.txt").write_text(text(file.code) if callable(text) else text)
    with pytest.raises(ConfigError, match=rf"{tmp_path}/x.txt {REFUSED}"):
        read_join_file(tmp_path / "x.txt")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"ca": "no certificate"}, "has no certificate of the server's authority"),
        ({"ca": ""}, "has no certificate of the server's authority"),
        ({"host": "h\nMETERHOUSE_STORE=x"}, REFUSED),
        ({"agent": "a\nb"}, REFUSED),
        ({"port": "8883"}, REFUSED),
        ({"site": None}, REFUSED),
    ],
)
def test_a_file_that_was_tampered_with_is_one_sentence_and_changes_nothing(tmp_path, file, change, sentence):
    (tmp_path / "x.join").write_text(json.dumps(asdict(file) | change))
    refused = meterhouse("edge", "--join", str(tmp_path / "x.join"), data=tmp_path / "device")
    assert (refused.returncode, sentence in refused.stderr) == (2, True), refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "device").exists()


def test_a_terminal_shows_the_file_as_a_code_that_can_be_read(tmp_path):
    with SiteServer(tmp_path / "data") as server:
        server.make()
        (server.folder / "site.yaml").write_text(two_agents())
        assert server.run("prepare").returncode == 0
        added = server.run("agent", "add", "edge-a", "--out", str(tmp_path / "a.join"), "--qr")
        assert added.returncode == 0, added.stderr
        file = read_join_file(tmp_path / "a.join")
        assert file.password not in added.stdout
        assert _drawn(added.stdout) == [
            list(row) for row in segno.make_qr(file.code, error="l", boost_error=False).matrix
        ]
        assert server.run("agent", "remove", "edge-a").returncode == 0
        records = open_records(f"sqlite:///{server.folder}/records.db")
        found = Audit(records).entries(among=AuditFilter(what="agent_account."))
        records.dispose()
        assert [(one.what, one.subject) for one in found] == [
            ("agent_account.ended", "edge-a"),
            ("agent_account.made", "edge-a"),
        ]


def _drawn(shown):
    """Modules of what a terminal was given: half a character each, dark where nothing is drawn, in a margin of four."""
    lines = [line for line in shown.splitlines() if line and set(line) <= set("█▀▄ ") and len(line) > 20]
    halves = [[(char in upper) for char in line] for line in lines for upper in ("█▀", "█▄")]
    size = len(lines[0]) - 8
    return [[int(not light) for light in row[4 : 4 + size]] for row in halves[4 : 4 + size]]

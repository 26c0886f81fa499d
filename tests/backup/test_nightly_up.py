"""A server that really runs writes its backup at the minute that was set, and tells whoever looks when it cannot."""

import json
import ssl
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from rigs.influx2_server import Influx2Server, need_influxd2
from rigs.patience import PATIENCE_S, until
from rigs.site_server import SiteServer

from facility.rights import Role
from meterhouse.store_setup import prepare_store
from stores.backup_note import BackupNote, keep_backup_note, read_backup_note
from stores.records.accounts.grants import Grant, Grants
from stores.records.database import open_records
from stores.records.people import People

LONG = timedelta(days=2)


class Kept(SiteServer):
    """One with a key and a folder for backups, the newest of which is of this moment."""

    def make(self, *words):
        super().make("--zone", "Asia/Shanghai", *words)
        self.to = self.folder.parent / "backups"
        made = self.run("backup", "--new-key")
        assert made.returncode == 0, made.stderr
        self.key = self.folder.parent / "key"
        self.key.write_text(made.stdout.splitlines()[-1])
        self.set("METERHOUSE_BACKUP", str(self.to))
        self.set("METERHOUSE_SECOND_FACTOR", "nobody")
        keep_backup_note(self.folder, BackupNote(made_at=datetime.now(UTC)))

    @property
    def note(self):
        return read_backup_note(self.folder)

    def alarm(self):
        """What status says of backups."""
        alarms = json.loads(self.run("status", "--json").stdout)["alarms"]
        return next((one["words"] for one in alarms if one["alarm"] == "backup_overdue"), "")

    def page(self):
        """The page of the server, as somebody reads it who runs it."""
        records, now = open_records(f"sqlite:///{self.folder / 'records.db'}"), datetime.now(UTC)
        link = People(records).invite("Ada", now)
        Grants(records).give("Ada", Grant(Role.SYSTEM_ADMINISTRATOR), "test", now)
        records.dispose()
        trusts = ssl.create_default_context(cafile=str(self.ca))
        with httpx.Client(base_url=self.address, verify=trusts, trust_env=False, timeout=PATIENCE_S) as client:
            client.headers["accept"] = "text/html"
            assert client.post("/sign-in", data={"token": link}).status_code == 303
            return client.get("/server").text

    def says(self):
        return self.logs() + (self.folder / "logs" / "up.log").read_text() if self.folder.exists() else ""


@pytest.mark.long
@pytest.mark.thorough
def test_it_is_written_at_the_minute_that_was_set_and_one_that_fails_is_an_alarm_everywhere(tmp_path):
    """Two servers: readings in a file of its own, and in an InfluxDB 2.7 that goes away; the other loses its key."""
    need_influxd2()
    with ExitStack() as running:
        influx = running.enter_context(Influx2Server())
        servers = [running.enter_context(Kept(tmp_path / name / "data")) for name in ("alone", "with-influx")]
        alone, with_influx = servers
        for server in servers:
            server.folder.parent.mkdir()
            server.make()
        with_influx.set("METERHOUSE_STORE", influx.url)
        prepare_store(influx.url, "site", round(time.time() * 1000))
        at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for server in servers:
            server.set("METERHOUSE_BACKUP_AT", f"{at + timedelta(hours=8):%H:%M}")  # by the site's clock
            server.start()
        for server in servers:
            until(lambda one=server: one.note.file, says=server.says, limit_s=4 * PATIENCE_S, pause_s=1)
            assert server.note.made_at >= at
            (file,) = server.to.glob("*.tar.age")
            looked = server.run("restore", str(file), "--key", str(server.key), "--check", "--json")
            assert looked.returncode == 0, looked.stderr
            assert json.loads(looked.stdout)["elsewhere"] == []
            assert server.alarm() == ""
        (alone.folder / "secrets" / "backup-recipients").unlink()
        influx.kill()
        for server in servers:
            keep_backup_note(server.folder, BackupNote(made_at=at - LONG, file="of the day before"))
        for server, words in ((alone, "backups have no key yet"), (with_influx, "does not answer")):
            until(lambda one=server: one.note.failed, says=server.says, limit_s=4 * PATIENCE_S, pause_s=1)
            assert words in server.note.failed
            until(lambda one=server, said=words: said in one.alarm(), says=server.says, pause_s=1)
            done = server.run("doctor")
            assert (done.returncode, words in done.stdout) == (2, True)
            assert words in server.page()

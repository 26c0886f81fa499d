"""The sender is killed anywhere, again and again: every case is told, under one id, and repeats are marked as such."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rigs.letter_desk import Office, finding
from rigs.mailboxes import WebAddress
from rigs.patience import until
from rigs.trials import FULL

from analytics.letters.couriers import read_couriers
from facility.work import Severity
from stores.records.letters.letter import UNSENT

KILLS = 200 if FULL else 8
EACH = 4
"""So many kills for each case that is found."""

LEASE_S = 0.3
RIGS = Path(__file__).parents[1]


def test_kills_anywhere_lose_no_letter_and_each_repeat_is_marked(records, tmp_path):
    seed = random.SystemRandom().randrange(10**6)
    with WebAddress() as hook:
        town = Office(records, datetime.now(UTC), {})
        names = [town.person(f"p{n}", address=f"p{n}@example.org") for n in range(KILLS)]
        raised = _raise_and_kill(town, f"sqlite:///{tmp_path}/records.db", hook, seed)
        _let_it_end(town, hook)
    heard_of = {f"{name}@example.org": set() for name in names}
    more, seen = Counter(), set()
    for headers, body in hook.heard:
        heard_of[body["to"]] |= set(re.findall(r"alerts/([0-9a-f-]{36})", body["message"]))
        more[body["to"]] += sum(int(n) for n in re.findall(r"and (\d+) more", body["message"]))
        key = headers["Idempotency-Key"]
        assert key not in seen or "Sent again" in body["message"], seed
        seen.add(key)
    assert {name for name in heard_of if len(heard_of[name] & raised) + more[name] < len(raised)} == set(), seed
    assert len(hook.heard) - len(seen) <= KILLS, seed


def _raise_and_kill(town, url, hook, seed):
    """The cases that were found while the sender was killed again and again."""
    chance, raised = random.Random(seed), set()  # noqa: S311 - a test may be repeated
    command = [sys.executable, "-m", "rigs.mortal_sender", url, f"hook={hook.url}", f"{LEASE_S}"]
    places = {"PYTHONPATH": f"{RIGS.parent}:{RIGS}"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **places}
    ) as lives:
        for n in range(KILLS):
            if n % EACH == 0:
                one = finding(datetime.now(UTC), Severity.URGENT, f"d{n}")
                raised.add(str(town.casebook.record(one, money=None, notify=True).id))
            lives.stdin.write(f"{chance.uniform(20, 250)}\n")
            lives.stdin.flush()
            assert lives.stdout.readline() == "dead\n"
        lives.stdin.close()
    assert lives.returncode == 0
    return raised


def _let_it_end(town, hook):
    """What the last life left comes when its lease is over; letters that wait for calm are let go at once."""
    last = Office(town.records, datetime.now(UTC), read_couriers(f"hook={hook.url}"))

    def is_done():
        last.clock.pass_by(minutes=11)
        last.deliver()
        return not last.letters.all_of(list(UNSENT)) and not last.letters.has_news()

    until(is_done)

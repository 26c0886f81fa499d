"""A sender of letters that is killed again and again: ``python -m rigs.mortal_sender RECORDS COURIERS LEASE_S``.

It reads one line for each life: how many milliseconds it may live. Each life is a fork, so that none waits for imports.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from datetime import time as wall

from analytics.letters.clerk import Clerk
from analytics.letters.couriers import read_couriers
from analytics.letters.post_office import PostOffice
from analytics.metrics import Rounds
from stores.access import kept_rights
from stores.access.important import ReadTrail
from stores.records.audit import Audit
from stores.records.database import open_records
from stores.records.letters.contacts import Contacts
from stores.records.letters.letters import Letters
from stores.records.letters.take_links import TakeLinks
from stores.records.people import People
from stores.records.registry import Registry


def utc_now() -> datetime:
    return datetime.now(UTC)


def live(url: str, couriers: str, lease_s: float) -> None:
    """Write and send until killed."""
    records = open_records(url)
    clerk = Clerk(
        Registry(records),
        People(records),
        kept_rights(records, utc_now),
        links=TakeLinks(records),
        trail=ReadTrail(Audit(records), utc_now),
        console="https://meters.example.org",
        language="en",
        daily_at=wall(8, 0),
    )
    known = read_couriers(couriers)
    lease = timedelta(seconds=lease_s)
    office = PostOffice(Letters(records), Contacts(records), clerk, known, utc_now, Rounds(time.monotonic), lease=lease)
    while True:
        office.write()
        for name in known:
            if not office.carry(name):
                time.sleep(0.01)


def main() -> None:
    url, couriers, lease_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
    read_couriers(couriers)  # the imports that it needs
    for line in sys.stdin:
        child = os.fork()
        if not child:
            live(url, couriers, lease_s)
        time.sleep(float(line) / 1000)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.stdout.write("dead\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

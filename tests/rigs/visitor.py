"""What a person signed in does on the pages: sends a form, chooses a language, listens to what changes."""

from __future__ import annotations

import re

from console.guard import csrf_token


def post(client, path, **fields):
    return client.post(path, data={"csrf": csrf_token(client.cookies["meterhouse_session"]), **fields})


def acts_on(client, alert):
    """How many acts the case has had, as its page says."""
    return re.search(r'name="acts" value="(\d+)"', client.get(f"/alerts/{alert}").text)[1]


def act(client, alert, what, **fields):
    """Press a button on the page of a case as it is now."""
    return post(client, f"/alerts/{alert}/{what}", acts=acts_on(client, alert), **fields)


def choose(client, language):
    return post(client, "/language", language=language, back="/alerts")


def next_event(lines):
    """The next message with data."""
    found = []
    for line in lines:
        if line:
            found.append(line)
        elif any(one.startswith("data:") for one in found):
            return found
        else:
            found = []
    raise AssertionError("the stream ended")

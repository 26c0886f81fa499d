"""What a person signed in does on the pages: sends a form, chooses a language, listens to what changes."""

from __future__ import annotations

from console.guard import csrf_token


def post(client, path, **fields):
    return client.post(path, data={"csrf": csrf_token(client.cookies["meterhouse_session"]), **fields})


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

"""Which text may be an MQTT topic: one that a broker refuses ends the connection that asks for it."""

from __future__ import annotations

import re

MOST_BYTES = 65_535
"""MQTT 5.0, 1.5.4: the length of a text is two bytes."""

_PLANES = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_NO_TEXT = re.compile(rf"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_PLANES}]")
"""Control characters, halves of characters (surrogates), and what is no character: Unicode 15, 23.7."""


def fault_of_topic(topic: str) -> str:
    """Why a text is no name of a topic, or of a part of one, that everybody lets pass; empty where it is one.

    MQTT 5.0: wildcards (4.7.1) and the NUL (4.7.3) stand in no topic, a leading $ is the broker's own (4.7.2), and for
    control characters and what is no character (1.5.4) a broker may end the connection, as mosquitto does. An empty
    level is lawful, but nobody means it.
    """
    if not topic:
        return "is empty"
    if _NO_TEXT.search(topic):
        return "holds what is no character"
    if "+" in topic or "#" in topic:
        return "holds a wildcard"
    if topic[0] == "$":
        return "begins with $, as the broker's own topics do"
    if "" in topic.split("/"):
        return "begins or ends with a slash, or has two together"
    length = len(topic.encode())
    return f"is {length} bytes long" if length > MOST_BYTES else ""

"""System alarms in words: what is wrong with the way of readings, with which agent, and what nobody can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facility.system_alarm import Raised, Unknown
    from wording.texts import Texts


def alarm_sentence(texts: Texts, raised: Raised) -> str:
    """``An agent is offline · edge-1``; what was said of it for whoever looks into it stands apart."""
    words = texts(f"system.{raised.alarm}")
    return f"{words} · {raised.agent}" if raised.agent else words


def unseen_sentence(texts: Texts, unknown: Unknown) -> str:
    """What cannot be seen, so that nobody may call it well; why stands apart."""
    return texts(f"unseen.{unknown.what}")

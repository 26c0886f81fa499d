"""The text form of a device profile: one YAML file per model, with its sources and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.documents.part import parse
from facility.protocols import PROTOCOLS

if TYPE_CHECKING:
    from facility.documents.part import Document
    from facility.profile import DeviceProfile
    from facility.protocols.rules import ProtocolRules


def load_profile(text: str, name: str) -> DeviceProfile:
    """Read one profile file. ``name`` is the file's name for messages. Raises ``ConfigError``."""
    document = parse(text, name)
    return document.validate(_rules(document).document).read(document)


def _rules(document: Document) -> ProtocolRules:
    """Which keys a file may hold follows from its protocol."""
    word = document.tree.get("protocol") if isinstance(document.tree, dict) else None
    if not isinstance(word, str) or word not in PROTOCOLS:
        what = "'protocol' is missing in the document" if word is None else f"unknown protocol '{word}'"
        document.report(("protocol",), what, PROTOCOLS)
    document.check()
    return PROTOCOLS[str(word)]

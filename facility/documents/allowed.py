"""What is allowed where a field of a document does not fit, in words: by what pydantic calls the misfit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PATTERNS = {
    "^[a-z0-9][a-z0-9_-]{0,62}$": "at most 63 of a to z, 0 to 9, - and _, the first a letter or a digit",
    "^[A-Z]{3}$": "an ISO code of three capital letters, such as EUR",
    "^[a-z0-9_-]+/[a-z0-9_-]+$": "maker/model, of a to z, 0 to 9, - and _",
    "^[a-z0-9_]+$": "a to z, 0 to 9 and _",
}
"""Patterns that documents use, in words."""

_TEXT, _NUMBER, _WHOLE = "a text", "a number", "a whole number"
_SWITCH, _KEYS, _LIST = "true or false", "keys with values, such as id: …", "a list, each item of it after a dash"
_DAY, _TIME = "a day such as 2026-09-14", "a day, or a day and a time such as 2026-09-14 10:30"

_WORDS = {
    "string_type": _TEXT,
    "string_too_short": "a text that is not empty",
    "string_pattern_mismatch": "what matches {pattern}",
    "list_type": _LIST,
    "too_short": "at least {min_length}",
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "zero": "any number but 0",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "enum": "{expected}",
    "literal_error": "{expected}",
}


def allowed_of(kind: str, context: Mapping[str, Any]) -> str:
    """What is allowed in place of a misfit; empty for one that is not known here. ``context`` has its bounds."""
    if kind.startswith(("date_type", "date_parsing", "date_from")):
        return _DAY
    if kind.startswith(("datetime_", "timezone_")):
        return _TIME
    plain = {name: int(one) if isinstance(one, float) and one.is_integer() else one for name, one in context.items()}
    words = PATTERNS.get(str(context.get("pattern"))) or _WORDS.get(kind, "").format(**plain)
    return words.replace("'", "").replace(" or ", ", ") if kind in {"enum", "literal_error"} else words

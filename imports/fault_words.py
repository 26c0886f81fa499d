"""What is wrong with a table, in words: where, what, and what is allowed, as its reader writes times and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imports.faults import TableFault
    from wording.formats import Formats
    from wording.texts import Texts


def fault_text(fault: TableFault, t: Texts, formats: Formats) -> str:
    """``row 7, column 'reading': …``."""
    what = t(f"import.fault.{fault.kind}", **_words(fault, t, formats))
    if not fault.row:
        return t("import.column_whole", column=fault.column, what=what) if fault.column else what
    if not fault.column:
        return t("import.row_whole", row=fault.row, what=what)
    return t("import.row", row=fault.row, column=fault.column, what=what)


def _words(fault: TableFault, t: Texts, formats: Formats) -> dict[str, str]:
    words = {}
    for name, value in fault.params.items():
        if name == "at_ms":
            words["at"] = formats.written_minute(formats.at(value / 1000))
        elif name in {"role", "decimal"}:
            words[name] = t(f"import.{name}.{value}")
        else:
            words[name] = formats.exact(value) if isinstance(value, float) else str(value)
    return words

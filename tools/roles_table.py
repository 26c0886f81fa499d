"""The table of roles and permissions as docs/security.md shows it, between two marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from facility.rights import PERMISSIONS, Role

if TYPE_CHECKING:
    from pathlib import Path

BEGIN, END = "<!-- roles: made from facility/rights.py -->", "<!-- end of roles -->"


def with_roles(page: Path) -> str:
    """The page with the table as it is now. Raises ``ValueError`` where the marks are missing."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the table of roles")
    return f"{before}{BEGIN}\n\n{roles_table()}\n\n{END}{after}"


def roles_table() -> str:
    """One line a permission, one column a role."""
    names = [re.sub("_", " ", role) for role in Role]
    rows = ["| may | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for act, roles in PERMISSIONS.items():
        rows.append(f"| {act} | " + " | ".join("yes" if role in roles else "" for role in Role) + " |")
    return "\n".join(rows)

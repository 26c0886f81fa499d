"""``meterhouse profiles``: which devices are known, and what each says."""

from __future__ import annotations

import typer

from device_profiles import load_profiles
from meterhouse.table import render_table


def profiles() -> None:
    """Print one line per device profile."""
    rows = [
        (p.id, p.name, p.protocol.value, ", ".join(dict.fromkeys(point.quantity.word for point in p.points)))
        for p in load_profiles().values()
    ]
    typer.echo(render_table(("profile", "name", "protocol", "quantities"), rows))

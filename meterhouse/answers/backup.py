"""What a backup holds, for programs and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meterhouse.backup.contents import READINGS, RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from meterhouse.backup.manifest import Manifest
    from wording.texts import Texts

MIB = 2**20


def rows_of(manifest: Manifest) -> tuple[int, int | None, int]:
    """Files, readings (None where they are kept elsewhere) and rows of records of a backup."""
    return len(manifest.parts), manifest.rows(READINGS).get("reading"), sum(manifest.rows(RECORDS).values())


def counts(t: Texts, files: int, readings: int | None, records: int) -> Iterator[tuple[str, str]]:
    """The same in words."""
    yield t("cli.backup.files"), f"{files:,}"
    if readings is not None:
        yield t("cli.backup.readings"), f"{readings:,}"
    yield t("cli.backup.records"), f"{records:,}"


def moment(at: datetime) -> str:
    """An instant, for a sentence."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def mib(size: int) -> str:
    """Bytes, for a sentence."""
    return f"{size / MIB:,.1f} MiB"

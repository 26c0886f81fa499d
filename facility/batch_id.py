"""How logs name a batch: one name for it at the edge, in ingest and in the store writer, to follow it by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def batch_id(agent: str, epoch: str, first: int) -> str:
    """A batch, or tombstone, by agent, stream epoch and first sequence number: ``edge-1/5f3a90c2d41b7e86/1201``."""
    return f"{agent}/{epoch}/{first}"


def log_context(batches: Sequence[str]) -> dict[str, str | int]:
    """What a log line says of batches that are handled together: the first one and, if it is not alone, how many."""
    if not batches:
        return {}
    return {"batch": batches[0]} if len(batches) == 1 else {"batch": batches[0], "batches": len(batches)}

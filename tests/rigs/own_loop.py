"""Coroutines that a test waits for."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor


def finished(coroutine):
    """What it returns, from a loop in a thread of its own: in this one the browser's may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()

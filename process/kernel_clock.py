"""What the kernel says of its clock."""

from __future__ import annotations

import ctypes

TIME_ERROR = 5
"""What adjtimex(2) returns while the kernel's clock is not synchronised."""

TIMEX_BYTES = 512


def is_kernel_synchronised() -> bool:
    """Whether a time service keeps the kernel's clock, as adjtimex(2) says."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    return 0 <= state < TIME_ERROR

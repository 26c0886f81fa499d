"""Starts the console with a tenth of its patience for who is slow, and as few descriptors as ``DESCRIPTORS`` says."""

from __future__ import annotations

import os
import resource
import sys

from console import connections
from console.__main__ import main

HASTE = 10

if __name__ == "__main__":
    descriptors = int(os.environ["DESCRIPTORS"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    connections.LIMITS_S = {state: limit_s / HASTE for state, limit_s in connections.LIMITS_S.items()}
    connections.READ_S /= HASTE
    sys.exit(main())

"""The wheel, built from this tree and installed alone: what stands beside it in the checkout is out of reach."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def build(tree: Path, folder: Path, kind: str = "wheel") -> subprocess.CompletedProcess[str]:
    """Let hatchling build a ``wheel`` or an ``sdist`` of a tree, as every installer does."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def install(wheel: Path, folder: Path) -> Path:
    """Its environment: the wheel's own files, and of everything else only the packages it depends on.

    An editable install's finder is not followed, because only the first environment's ``.pth`` files are read.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin" / "python"

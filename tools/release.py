"""Makes a release: wheel, bill of materials, and a bundle that installs and updates without a network.

``python -m tools.release --dry`` does all but fetch the wheels of others, and packs no bundle. ``--key FILE`` names the
Ed25519 key (PEM) that signs; ``--new-key FILE`` makes one and writes its public half beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tools.sbom import LOCK, ROOT, bill, problems

SUMS, SIGNATURE, IMAGE = "SHA256SUMS", "SHA256SUMS.sig", "image"


def main(arguments: list[str]) -> int:
    """Exit code 1 with one sentence where something is not ready."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--dry", action="store_true")
    asked.add_argument("--key", type=Path)
    asked.add_argument("--new-key", type=Path)
    asked.add_argument("--out", type=Path, default=ROOT / "build" / "release")
    given = asked.parse_args(arguments)
    if given.new_key:
        make_key(given.new_key)
        return 0
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    try:
        release(version, given.out, given.key, dry=given.dry)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


class ReleaseError(Exception):
    """Something is not ready for a release."""


def release(version: str, out: Path, key: Path | None, *, dry: bool) -> None:
    """Write everything into ``out``, which is emptied before. Raises ``ReleaseError``."""
    if key is None and not dry:
        raise ReleaseError("a release is signed: --key FILE, and --new-key FILE makes one")
    print(check_changelog((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version, dry=dry))
    document = bill(version)
    if wrong := problems(document):
        raise ReleaseError("\n".join(wrong))
    signing = read_key(key) if key else Ed25519PrivateKey.generate()
    shutil.rmtree(out, ignore_errors=True)
    bundle = out / f"meterhouse-{version}"
    (bundle / "wheels").mkdir(parents=True)
    run("hatchling", "build", "-t", "wheel", "-d", str(bundle / "wheels"))
    if not dry:
        command = [ROOT / ".tools/bin/python", "-m", "pip", "download", "-q", "--require-hashes", "--only-binary=:all:"]
        subprocess.run([*command, "-d", bundle / "wheels", "-r", LOCK], check=True)  # noqa: S603 - our own words
    fill(bundle, json.dumps(document, indent=2) + "\n", version)
    seal(bundle, signing)
    if not dry:
        with tarfile.open(out / f"{bundle.name}.tar", "w") as archive:
            archive.add(bundle, bundle.name)
    files = sum(1 for one in bundle.rglob("*") if one.is_file())
    print(f"meterhouse {version}: {len(document['components'])} components, {files} files{' (dry)' if dry else ''}")


def check_changelog(text: str, version: str, *, dry: bool) -> str:
    """The heading that a release goes out under. Raises ``ReleaseError`` where nothing is written there."""
    heading = "Unreleased" if dry else version
    found = re.search(rf"^## \[?{re.escape(heading)}\]?[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md says nothing under '## {heading}'")
    return found[0].splitlines()[0]


def fill(bundle: Path, sbom: str, version: str) -> None:
    """Beside the wheels: the lock, the bill of materials, what installs, and what images are built from."""
    shutil.copy(LOCK, bundle / "requirements.txt")
    (bundle / "sbom.json").write_text(sbom, encoding="utf-8")
    (bundle / "version").write_text(f"{version}\n", encoding="utf-8")
    for script in (ROOT / "deploy" / "bundle").iterdir():
        shutil.copy(script, bundle)
    shutil.copytree(ROOT / "deploy", bundle / IMAGE / "deploy")
    shutil.copytree(ROOT / "requirements", bundle / IMAGE / "requirements")
    for file in ("Dockerfile", "docker-compose.yml"):
        shutil.copy(ROOT / file, bundle / IMAGE)


def seal(bundle: Path, key: Ed25519PrivateKey) -> None:
    """Checksums of every file, and their signature."""
    files = sorted(one for one in bundle.rglob("*") if one.is_file() and one.name not in {SUMS, SIGNATURE})
    lines = [f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.relative_to(bundle)}\n" for one in files]
    (bundle / SUMS).write_text("".join(lines), encoding="utf-8")
    (bundle / SIGNATURE).write_bytes(key.sign((bundle / SUMS).read_bytes()))


def make_key(file: Path) -> None:
    """A key for one file, its public half for all: people keep that and hold bundles against it."""
    key = Ed25519PrivateKey.generate()
    file.touch(0o600, exist_ok=False)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    file.with_name(f"{file.name}.pub").write_bytes(public)


def read_key(file: Path) -> Ed25519PrivateKey:
    """The key that signs. Raises ``ReleaseError``."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ReleaseError(f"{file} is no key of ours: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError(f"{file} is no Ed25519 key")
    return key


def run(module: str, *words: str) -> None:
    """Run a module of this Python here. Raises ``ReleaseError`` with its words."""
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ReleaseError(f"{module}: {done.stderr.strip() or done.stdout.strip()}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

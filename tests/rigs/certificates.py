"""Certificates for a test's broker and its clients, made by openssl: one authority, one for each name."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """Signs certificates. ``ca`` is what whoever shall trust them is given."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder, self.name = folder, name
        self.ca = folder / f"{name}.pem"
        _openssl("req", "-x509", *_key(self.ca), "-out", self.ca, "-days", "2", "-subj", f"/CN={name}")

    def sign(self, name: str, alternative: str, days: int = 2) -> tuple[Path, Path]:
        """A certificate and its key; ``alternative`` is whom it stands for, ``IP:127.0.0.1`` say.

        With fewer than no ``days`` it has expired.
        """
        certificate, request = self.folder / f"{name}.pem", self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n", encoding="ascii")
        _openssl("req", *_key(certificate), "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.ca, "-CAkey", self.ca.with_suffix(".key"), "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, "-out", certificate, "-days", days, *signer, "-extfile", extensions)
        return certificate, certificate.with_suffix(".key")


def _key(certificate: Path) -> tuple[object, ...]:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    return (*curve, "-keyout", certificate.with_suffix(".key"))


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

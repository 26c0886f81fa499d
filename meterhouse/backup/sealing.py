"""An archive that is encrypted while it is read and decrypted while it is unpacked: never whole in memory."""

from __future__ import annotations

import os
import tarfile
import threading
from typing import IO, TYPE_CHECKING

import pyrage

from facility.errors import ConfigError, MeterhouseError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

CHUNK_BYTES, PIPE_BYTES = 2**20, 2**16
END = b"\0" * (2 * tarfile.BLOCKSIZE)
NOT_FOR_THIS_KEY = "No matching keys"
"""How pyrage begins its sentence."""


def header(name: str, size: int, mode: int, at_s: float) -> bytes:
    """What stands in an archive before a file."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, at_s
    return member.tobuf(tarfile.PAX_FORMAT)


def padding(size: int) -> bytes:
    """What stands behind it."""
    return b"\0" * (-size % tarfile.BLOCKSIZE)


def seal(pieces: Iterator[bytes], out: IO[bytes], recipients: Sequence[pyrage.x25519.Recipient]) -> None:
    """Encrypt what ``pieces`` yields. What they raise is raised again; ``OSError`` where the file cannot be written."""
    source, target = _Drawn(pieces), _Kept(out)
    try:
        pyrage.encrypt_io(source, target, recipients)
    except (OSError, pyrage.EncryptError):
        if error := source.error or target.error:
            raise error from None
        raise


class _Drawn:
    """A file that is made while it is read; why it could not be made any further."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")
        self.error: Exception | None = None

    def read(self, most: int) -> bytes:
        try:
            while not self._rest:
                self._rest = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except (OSError, MeterhouseError) as error:
            self.error = error
            raise
        piece, self._rest = bytes(self._rest[:most]), self._rest[most:]
        return piece


class _Kept:
    """A file that remembers why it could not be written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.error: Exception | None = None

    def write(self, piece: bytes) -> int:
        try:
            return self._file.write(piece)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._file.flush()


class Opened:
    """A sealed archive, its files one after the other; use as a context manager.

    A thread decrypts into a pipe that the archive is read from. Leaving it before its end ends both.
    """

    def __init__(self, file: Path, identities: Sequence[pyrage.x25519.Identity]) -> None:
        """Raises ``ConfigError`` for a file that cannot be read."""
        self._path, self._identities = file, identities
        try:
            self._file = file.open("rb")
        except OSError as error:
            raise ConfigError(f"the backup {file} cannot be read: {error.strerror}") from None
        self._error: Exception | None = None
        read_end, self._write_end = os.pipe()
        self._read_end = os.fdopen(read_end, "rb", PIPE_BYTES)
        self._thread = threading.Thread(target=self._decrypt, name="decrypt", daemon=True)

    def members(self) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
        """Every file with its content, which is to be read before the next. Raises ``ConfigError``."""
        with tarfile.open(fileobj=self._read_end, mode="r|", bufsize=PIPE_BYTES) as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None:
                    raise ConfigError(f"the backup {self._path} holds what is no file: {quoted(member.name)}")
                yield member, content
        while self._read_end.read(PIPE_BYTES):  # to the last seal
            pass
        self._thread.join()
        self._check("")

    def _decrypt(self) -> None:
        try:
            with os.fdopen(self._write_end, "wb", PIPE_BYTES) as target:
                pyrage.decrypt_io(self._file, target, self._identities)
        except (OSError, ValueError, pyrage.DecryptError) as error:  # who reads tells it
            self._error = error

    def _check(self, otherwise: str) -> None:
        """Raise ``ConfigError`` where it could not be decrypted, or ``otherwise``."""
        error = self._error
        if isinstance(error, pyrage.DecryptError) and NOT_FOR_THIS_KEY in str(error):
            raise ConfigError(f"the key does not open the backup {self._path}: it was written for another") from None
        if isinstance(error, pyrage.DecryptError):
            raise ConfigError(f"{self._path} is no backup: {error}") from None
        if error or otherwise:
            raise ConfigError(otherwise or f"the backup {self._path} is cut short or was changed") from None

    def __enter__(self) -> Self:
        """Begin to decrypt."""
        self._thread.start()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """End it, wherever it is. Raises ``ConfigError`` in place of an archive's own words."""
        self._read_end.close()
        self._thread.join()
        self._file.close()
        if isinstance(error, tarfile.TarError):
            self._check(f"the backup {self._path} is cut short or was changed")

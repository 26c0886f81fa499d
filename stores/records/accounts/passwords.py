"""Which passwords are taken, and how they are kept: length and a list of known ones decide, argon2id hashes."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from facility.errors import Rejected

SHORTEST, LONGEST = 12, 128
FEWEST_SIGNS = 5
"""Different characters that a password has at least."""

HASHER = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=65_536, parallelism=4),))
"""RFC 9106, section 4, the second recommended option: argon2id with 64 MiB, three passes, four lanes."""

NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$bWV0ZXJob3VzZS1ub2JvZA$4Rrhy4RjGkXd2vThZcHM1qXtpEdKnzN3fTrgbyJVvzQ"
"""Who has no password is held against this one, which none fits: an answer takes as long as for everybody."""

LIST = Path(__file__).with_name("known_passwords.txt")


def check_password(password: str, name: str) -> str:
    """The password as it is hashed (Unicode NFKC). Raises ``Rejected`` with the reason where it is too weak."""
    said = unicodedata.normalize("NFKC", password)
    if len(said) < SHORTEST:
        raise Rejected("password_short", f"a password has at least {SHORTEST} characters")
    if len(said) > LONGEST:
        raise Rejected("password_long", f"a password has at most {LONGEST} characters")
    plain = said.casefold()
    if plain in _known() or len(set(plain)) < FEWEST_SIGNS:
        raise Rejected("password_known", "this password is one of those that are tried first")
    if name.casefold() in plain and len(plain) - len(name) < SHORTEST:
        raise Rejected("password_named", "this password is made of the name")
    return said


def hash_of(password: str) -> str:
    """What is kept of a password."""
    return HASHER.hash(unicodedata.normalize("NFKC", password))


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password of which that is kept; takes as long where nothing is."""
    said = unicodedata.normalize("NFKC", password[: LONGEST * 2])
    return HASHER.verify(said, kept or NOBODYS) and kept is not None


@cache
def _known() -> frozenset[str]:
    return frozenset(line for line in LIST.read_text(encoding="ascii").splitlines() if not line.startswith("#"))

"""Numbers as decimal digits in bytes, low byte first, as Chinese meters write them: ``XXXXXX.XX`` is four bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

FORM = r"^X+(\.X+)?$"
FormText = Annotated[str, Field(pattern=FORM, max_length=17)]
"""One X for each digit, as the standards print it."""

NO_VALUE = "f"
"""Digits that all are F say that there is no value; so does any that is none."""


ALLOWED_FORMS = "an even number of X"


def fills_bytes(form: str) -> bool:
    """Whether the digits of a form fill whole bytes."""
    return form.count("X") % 2 == 0


@dataclass(frozen=True, slots=True)
class DecimalForm:
    """``digits`` in pairs, so many of them ``decimals``; ``has_sign``: the highest bit says that it is negative."""

    digits: int
    decimals: int
    has_sign: bool = False

    @classmethod
    def of(cls, text: str, *, has_sign: bool = False) -> DecimalForm:
        """``XXXXXX.XX``: eight digits, two of them decimals. Raises ``ValueError`` where they fill no whole bytes."""
        if not (fills_bytes(text) and re.fullmatch(FORM, text)):
            raise ValueError(f"'{text}' fills no whole bytes")
        return cls(text.count("X"), len(text.partition(".")[2]), has_sign)

    @property
    def size(self) -> int:
        """How many bytes it fills."""
        return self.digits // 2

    def read(self, image: bytes) -> float | None:
        """The number in so many bytes; None where a digit is none."""
        digits = image[::-1].hex()
        sign = 1.0
        if self.has_sign and image and image[-1] & 0x80 and set(digits) != {NO_VALUE}:
            digits, sign = f"{int(digits[0], 16) & 7:x}{digits[1:]}", -1.0
        if not digits.isdecimal():
            return None
        return float(sign * int(digits) / 10.0**self.decimals)

    def write(self, value: float | None) -> bytes:
        """The bytes that say a number. Raises ``OverflowError`` where it has too many digits."""
        if value is None:
            return b"\xff" * self.size
        whole = round(abs(value) * 10**self.decimals)
        most = 10**self.digits // (2 if self.has_sign else 1)
        if whole >= most or (value < 0 and not self.has_sign):
            raise OverflowError(f"{value} does not fit {self.digits} digits")
        image = bytearray.fromhex(f"{whole:0{self.digits}d}")[::-1]
        image[-1] |= 0x80 if value < 0 else 0
        return bytes(image)

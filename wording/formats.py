"""Numbers, units, money and instants as a reader writes them: the person's language, the site's zone and currency."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent

from facility.currency import minor_digits
from facility.wall_time import shown_instant
from wording.spacing import spaced
from wording.texts import ABSENT
from wording.units import unit_sign

if TYPE_CHECKING:
    from datetime import date

    from facility.quantities import Quantity

REGIONS = {"en": "en_GB", "zh-Hans": "zh_Hans_CN"}
"""Language tag → the locale whose habits of writing dates and numbers are used."""

BILLED = {"en": "{digits} ¤¤", "zh-Hans": "¤{digits}"}
"""Language tag → how a document writes money; ``digits`` are those of the currency."""

DIGITS = {"degC": 1, "%": 0, "ppm": 0, "V": 1, "Hz": 2, "1": 2, "dBm": 0, "L/h": 0, "A": 1}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number and its unit, apart, so that a page can set them in different sizes."""

    number: str
    unit: str

    def __str__(self) -> str:
        """``128 kW``, with a space that does not break."""
        return f"{self.number}\N{NO-BREAK SPACE}{self.unit}" if self.unit else self.number


MINUS = "\N{MINUS SIGN}"

NOTHING = Amount(ABSENT, "")


@dataclass(frozen=True, slots=True)
class Formats:
    """How one reader of one site reads figures. Absent figures (None, NaN) become a dash."""

    language: str
    timezone: str
    currency: str

    @property
    def _locale(self) -> Locale:
        return Locale.parse(REGIONS[self.language])

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone."""
        return ZoneInfo(self.timezone)

    def sign(self, unit: str) -> str:
        """How a unit is written."""
        return unit_sign(unit)

    def number(self, x: float | None, digits: int = 0) -> str:
        """``1,234.5``."""
        if x is None or not math.isfinite(x):
            return ABSENT
        return str(format_decimal(x + 0.0, format=_pattern(digits), locale=self._locale)).replace("-", MINUS)

    def exact(self, x: Decimal | float) -> str:
        """``8,928.000``: every digit of a decimal, ten significant ones of another number; for documents and lists."""
        return f"{x:,}" if isinstance(x, Decimal) else f"{x:,.10g}"

    def _scaled(self, x: float | None, small: str, large: str, limit: float) -> Amount:
        """``x`` in ``small``, or in ``large`` (1,000 times as much) from ``limit`` on, with three figures or so."""
        if x is None or not math.isfinite(x):
            return NOTHING
        value, unit = (x / 1000, large) if abs(x) >= limit else (x, small)
        return Amount(self.number(value, _digits(value)), unit)

    def power(self, watts: float | None) -> Amount:
        """W below 1 kW, kW below 10 MW, then MW."""
        if watts is not None and abs(watts) < 1000:  # noqa: PLR2004 - 1 kW
            return Amount(self.number(watts), "W")
        return self._scaled(None if watts is None else watts / 1000, "kW", "MW", 10_000)

    def use(self, quantity: float | None, unit: str) -> Amount:
        """A quantity of a utility: kWh or MWh, m³ or L."""
        if unit == "kWh":
            return self._scaled(quantity, "kWh", "MWh", 10_000)
        if unit == "m3" and quantity is not None and 0 < abs(quantity) < 1:
            return Amount(self.number(quantity * 1000), "L")
        if quantity is None or not math.isfinite(quantity):
            return NOTHING
        return Amount(self.number(quantity, _digits(quantity)), unit_sign(unit))

    def reading(self, quantity: Quantity, x: float) -> Amount:
        """A reading of a point in its quantity's unit."""
        if quantity.unit == "W":
            return self.power(x)
        if quantity.is_counter:
            return Amount(self.number(x, 2), unit_sign(quantity.unit))
        return Amount(self.number(x, DIGITS.get(quantity.unit, 1)), unit_sign(quantity.unit))

    def money(self, x: float | None) -> str:
        """In the site's currency; pence only where they matter, and where it has some."""
        if x is None or not math.isfinite(x):
            return ABSENT
        digits = 0 if abs(x) >= 100 else minor_digits(self.currency)  # noqa: PLR2004 - three figures
        pattern = f"¤{_pattern(digits)}"
        return str(format_currency(x, self.currency, format=pattern, locale=self._locale, currency_digits=False))

    def billed(self, x: Decimal | None) -> str:
        """Money as a bill prints it, with all its decimals: ``7,017.60 CNY``, ``¥7,017.60``, ``7,018 JPY``."""
        if x is None:
            return ABSENT
        pattern = BILLED[self.language].format(digits=_pattern(minor_digits(self.currency)))
        return str(format_currency(x, self.currency, format=pattern, locale=self._locale, currency_digits=False))

    def percent(self, share: float | None, *, signed: bool = False) -> str:
        """``12 %`` in the language's way; ``signed`` writes the plus."""
        if share is None or not math.isfinite(share):
            return ABSENT
        text = str(format_percent(abs(share), format="#,##0%", locale=self._locale))
        if not signed or round(share, 2) == 0:
            return text
        return ("+" if share > 0 else MINUS) + text

    def local(self, at: datetime) -> datetime:
        """The instant on the site's clock."""
        return at.astimezone(self.zone)

    def at(self, t_s: float) -> datetime:
        """The instant of a chart's stamp."""
        return datetime.fromtimestamp(t_s, tz=UTC)

    def ago_ms(self, now: datetime, at_ms: float) -> str:
        """How long ago a reading was taken."""
        return self.ago(max(now - self.at(at_ms / 1000), timedelta(0)))

    def instant(self, at: datetime) -> str:
        """``Sat 21 Nov, 18:30``."""
        day = format_skeleton("MMMEd", self.local(at), locale=self._locale)
        return f"{day} {self.clock(at)}"

    def full_instant(self, at: datetime) -> str:
        """Date with year and time, for titles and timelines."""
        return str(format_datetime(at, "medium", tzinfo=self.zone, locale=self._locale))

    def written_day(self, day: date) -> str:
        """``2026-11-21``: how documents and tables write a day, in every language alike."""
        return f"{day:%Y-%m-%d}"

    def written_minute(self, at: datetime) -> str:
        """``2026-11-21 18:30``; with what more it needs to be written again as an option."""
        return shown_instant(at, self.zone)

    def clock(self, at: datetime) -> str:
        """``18:30``."""
        return str(format_time(self.local(at), "HH:mm", locale=self._locale))

    def day(self, day: date) -> str:
        """``Sat 21 Nov``."""
        return str(format_skeleton("MMMEd", day, locale=self._locale))

    def long_day(self, day: date) -> str:
        """``Saturday, 21 November 2026``."""
        return str(format_date(day, "full", locale=self._locale))

    def lasting(self, span: timedelta) -> str:
        """``6 hours``, ``3 days``."""
        return spaced(format_timedelta(span, granularity="second", threshold=1.5, locale=self._locale))

    def ago(self, span: timedelta) -> str:
        """``3 seconds ago``."""
        return spaced(format_timedelta(-span, add_direction=True, threshold=1.5, format="short", locale=self._locale))


def _pattern(digits: int) -> str:
    return f"#,##0.{'0' * digits}" if digits else "#,##0"


def _digits(x: float) -> int:
    """Digits after the point that give about three figures."""
    size = abs(x)
    return 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2  # noqa: PLR2004 - three figures

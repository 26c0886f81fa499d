"""The words of a bill: codes for programs, the same in every language, or a reader's words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.tariff import Period
from reports.proof import RegisterEnd
from wording.reasons import reason_text
from wording.remarks import remark_text
from wording.texts import load_texts

if TYPE_CHECKING:
    from datetime import date

    from facility.levels import Level
    from facility.remark import Remark
    from reports.bill import Bill, HandedIn, UtilityBill
    from reports.lines import BillLine
    from reports.proof import RegisterLine
    from wording.formats import Formats

END_CODES = {
    RegisterEnd.READ: "read",
    RegisterEnd.SUBSTITUTED: "substituted",
    RegisterEnd.INTERPOLATED: "interpolated",
    RegisterEnd.IN_SILENCE: "in a silence",
    RegisterEnd.UNREAD: "never read",
}
END_TEXTS = {
    RegisterEnd.READ: "bill.read",
    RegisterEnd.SUBSTITUTED: "bill.substituted",
    RegisterEnd.INTERPOLATED: "bill.interpolated",
    RegisterEnd.IN_SILENCE: "bill.in_silence",
    RegisterEnd.UNREAD: "bill.unread",
}


class BillCodes:
    """For programs: fields and codes stay as they are, names and notes are in the language of ``formats``."""

    def __init__(self, formats: Formats) -> None:
        self.formats = formats

    def building(self, bill: Bill) -> str:
        """Id and name."""
        return f"{bill.building} ({bill.name.in_language(self.formats.language)})"

    def closed(self, closed: HandedIn | None) -> str:
        """When and by whom the month was closed."""
        return f"{self.closing_day(closed)} by {closed.by}" if closed else "no"

    def closing_day(self, closed: HandedIn) -> str:
        """The local day on which the month was closed."""
        return self.formats.written_day(self.formats.local(closed.at).date())

    def heading(self, field: str, text_id: str) -> str:  # noqa: ARG002 - words are found by the other
        """What a column, a part or a fact is called."""
        return field

    def level(self, level: Level) -> str:
        """How sensitive it is."""
        return level.word

    def utility(self, word: str) -> str:
        """What is charged for."""
        return word

    def unit(self, unit: str) -> str:
        """What a quantity is counted in."""
        return unit

    def charge(self, line: BillLine, bill: UtilityBill) -> str:  # noqa: ARG002 - words depend on the lines beside it
        """A tariff period, a tier or a charge of the month."""
        return line.what

    def shared_by(self, by: str) -> str:
        """How a part of a line came to a department."""
        return by

    def ends(self, line: RegisterLine) -> str:
        """How a register is known at both ends of its time: once where that is the same, else opening, then closing."""
        known = RegisterEnd.IN_SILENCE if line.estimated else RegisterEnd.READ  # all that older bills say
        both = dict.fromkeys((line.opening_is or known, line.closing_is or known))
        return " / ".join(self.end(one) for one in both)

    def end(self, known: RegisterEnd) -> str:
        """How a register is known at one end."""
        return END_CODES[known]

    def valid_until(self, day: date | None) -> str:
        """The last day of a tariff; None: nobody has said."""
        return day.isoformat() if day else ""

    def reason(self, reason: str) -> str:
        """Why a closed month is adjusted."""
        return reason

    def note(self, remark: Remark) -> str:
        """What a person must know before handing the bill in."""
        return remark_text(remark, self.formats)


class BillWords(BillCodes):
    """For people: everything in the language of ``formats``."""

    def __init__(self, formats: Formats) -> None:
        super().__init__(formats)
        self.texts = load_texts(formats.language)

    def closed(self, closed: HandedIn | None) -> str:  # noqa: D102
        if closed is None:
            return self.texts("bill.open")
        return self.texts("bill.closed", day=self.closing_day(closed), by=closed.by)

    def heading(self, field: str, text_id: str) -> str:  # noqa: ARG002, D102
        return self.texts(text_id)

    def level(self, level: Level) -> str:  # noqa: D102
        return self.texts(f"level.{level.word}")

    def utility(self, word: str) -> str:  # noqa: D102
        return self.texts(f"charged.{word}")

    def unit(self, unit: str) -> str:  # noqa: D102
        return self.texts.text_or(f"unit.{unit}", unit)

    def charge(self, line: BillLine, bill: UtilityBill) -> str:  # noqa: D102
        name, _, number = line.what.partition("_")
        if name == "tier":
            return self.texts("charge.tier", number=number)
        periods = {one.what for one in bill.lines if one.tariff == line.tariff} & {period.value for period in Period}
        return self.texts("charge.single" if periods == {Period.FLAT} == {line.what} else f"charge.{line.what}")

    def shared_by(self, by: str) -> str:  # noqa: D102
        return self.texts(f"departments.by.{by}")

    def end(self, known: RegisterEnd) -> str:  # noqa: D102
        return self.texts(END_TEXTS[known])

    def valid_until(self, day: date | None) -> str:  # noqa: D102
        return day.isoformat() if day else self.texts("bill.open_end")

    def reason(self, reason: str) -> str:  # noqa: D102
        return reason_text(reason, self.texts)

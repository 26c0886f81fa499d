"""Asks one meter for its telegram, by its primary address or by the number that is printed on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_agent.drivers.base import Answer, Ask, NoAnswerError
from edge_agent.drivers.framed.talk import TalkingDriver, read_all
from edge_agent.drivers.mbus.telegrams import (
    ACK,
    REQ_UD2,
    SND_NKE,
    Telegram,
    records_of,
    selection,
    short_frame,
    telegrams,
    value_of,
)
from facility.errors import DriverError
from facility.protocols.mbus import MbusAddress, RecordPoint, mbus_address

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from edge_agent.devices import Device

ANY_DIGIT = 0xF


@dataclass(frozen=True, slots=True)
class TelegramAsk(Ask):
    """The telegram of the meter at an address, which holds all the points."""

    address: MbusAddress


class MbusDriver(TalkingDriver):
    """A meter is set to begin anew (or selected), and then asked once: its first telegram has its current values."""

    def plan(self, device: Device, points: Collection[str]) -> Sequence[TelegramAsk]:
        """One ask for all of them."""
        address = mbus_address(self._bus, device.meter.unit)
        return [TelegramAsk(device, tuple(points), address)] if points else []

    def answer(self, ask: TelegramAsk) -> Answer:
        """Ask for the telegram; a record that it lacks is a point that cannot be read."""
        address, who = ask.address, f"meter {ask.device.meter.unit}"
        begin = selection(address.secondary) if address.secondary else short_frame(SND_NKE, address.primary)
        self._talk.ask(begin, lambda heard: True if ACK in heard.replace(begin, b"") else None, who)

        def find(heard: bytes) -> Telegram | None:
            return next((one for one in telegrams(heard) if _is_from(address, one)), None)

        telegram = self._talk.ask(short_frame(REQ_UD2, address.primary), find, who)
        try:
            records = records_of(telegram.frame)
        except DriverError as error:
            raise NoAnswerError(f"{who}: {error}") from None
        return read_all(ask, RecordPoint, lambda place: value_of(place, records))


def _is_from(address: MbusAddress, telegram: Telegram) -> bool:
    """Whether a telegram is that of the meter: an F in a number that selects is any digit."""
    if not address.secondary:
        return telegram.primary == address.primary
    pairs = zip(address.secondary[:4].hex(), telegram.identity[:4].hex(), strict=False)
    return all(int(wanted, 16) == ANY_DIGIT or wanted == said for wanted, said in pairs)

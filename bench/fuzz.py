"""A hundred thousand spoilt frames and messages for each protocol: what comes of them is a finite number or a reason.

They are made from the examples of the shipped profiles: bits turned, pieces lost, doubled or put in; half of them with
a checksum that is right again, so that what lies behind it is reached.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.proc import machine
from device_profiles import load_profiles
from edge_agent.drivers.examples import decode_example
from edge_agent.drivers.modbus.frames import FUNCTIONS, Request, RtuFraming, TcpFraming, checksum
from edge_agent.drivers.modbus.text_frames import AsciiFraming, text_frame
from facility.errors import DriverError
from facility.protocols import PROTOCOLS
from facility.protocols.framed import FrameExample
from facility.protocols.json_values import JsonExample
from facility.protocols.modbus.profile import RegisterExample

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facility.profile import DeviceProfile, ProfileExample

RESULT = Path(__file__).parent / "results" / "fuzz.json"
TRIES, SEED = 100_000, 7
FRAMINGS = (RtuFraming(), TcpFraming(), AsciiFraming())
NUMBER = 1000
TEXTS = (b"NaN", b"1e400", b"-", b'"', b"\\u12", b"{", b"[[[[", b"\xff\xfe", b"null", b"007", b",,", b"true", b"\0")


def tries(count: int, seed: int = SEED) -> Counter[str]:
    """Spoil and decode so often for each protocol. Raises ``AssertionError`` with the bytes that brought it about."""
    chance, done = random.Random(seed), Counter[str]()  # noqa: S311 - chance that can be repeated
    profiles = list(load_profiles().values())
    for protocol in PROTOCOLS:
        each = [(one, example) for one in profiles if one.protocol == protocol for example in one.examples]
        for _ in range(count):
            profile, example = chance.choice(each)
            _decode(profile, _spoilt_example(chance, example))
            done[protocol] += 1
    for _ in range(count):
        _find(chance)
        done["modbus frames"] += 1
    return done


def _decode(profile: DeviceProfile, example: ProfileExample) -> None:
    try:
        said = decode_example(profile, example)
    except DriverError:
        return
    except BaseException as error:
        raise AssertionError(f"{profile.id}: {example} ends in {error!r}") from error
    assert all(map(math.isfinite, said.values())), f"{profile.id}: {example} becomes {said}"


def _spoilt_example(chance: random.Random, example: ProfileExample) -> ProfileExample:
    if isinstance(example, FrameExample):
        return replace(example, frame=_closed(chance, spoilt(chance, example.frame)))
    if isinstance(example, JsonExample):
        payload = spoilt(chance, example.payload.encode(), TEXTS)
        return replace(example, payload=payload.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())
    assert isinstance(example, RegisterExample)
    some = (0, 0xFFFF, 0x7FFF, 0x8000, 0x7F80, 0x2020, 0x0030)
    words = {
        at: tuple(chance.choice(some) if chance.random() < 0.3 else chance.randrange(0x10000) for _ in row)  # noqa: PLR2004
        for at, row in example.registers.items()
    }
    return replace(example, registers=words)


def _closed(chance: random.Random, frame: bytes) -> bytes:
    """Half of the time the frame as spoilt; else its checksum (from the first 68h on) or length is put right."""
    start = frame.find(0x68)
    if frame[:1] == b"\x81" and chance.random() < 0.5:  # noqa: PLR2004 - BACnet
        return frame[:2] + len(frame).to_bytes(2) + frame[4:]
    if chance.random() < 0.5 or start < 0 or len(frame) < start + 3:  # noqa: PLR2004
        return frame
    is_mbus = frame[start + 3 : start + 4] == b"\x68" and frame[start + 1 : start + 2] == frame[start + 2 : start + 3]
    begin = start + 4 if is_mbus else start
    return frame[:-2] + bytes((sum(frame[begin:-2]) & 0xFF, 0x16))


def _find(chance: random.Random) -> None:
    """An answer of Modbus among noise, in each framing; it has as many words as were asked for."""
    table = chance.choice(list(FUNCTIONS))
    request = Request(chance.randrange(1, 248), FUNCTIONS[table], chance.randrange(0x10000), chance.randrange(1, 126))
    body = bytes((request.unit, request.function, request.size)) + chance.randbytes(request.size)
    right = (body + checksum(body), NUMBER.to_bytes(2) + b"\0\0" + len(body).to_bytes(2) + body, text_frame(body))
    for framing, frame in zip(FRAMINGS, right, strict=True):
        assert [reply.end for reply in framing.replies(request, NUMBER, frame)] == [len(frame)], frame.hex()
        for reply in framing.replies(request, NUMBER, spoilt(chance, frame)):
            assert len(reply.words) == (0 if reply.exception else request.count)
        framing.stranger(request, spoilt(chance, frame))


def spoilt(chance: random.Random, right: bytes, put: Iterable[bytes] = ()) -> bytes:
    """One to four ways in which bytes are wrong."""
    frame = bytearray(right)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(frame)) if frame else 0
        way = chance.randrange(5)
        if way == 0 and frame:
            frame[at] ^= 1 << chance.randrange(8)
        elif way == 1 and frame:
            frame[at] = chance.randrange(256)
        elif way == 2:  # noqa: PLR2004
            del frame[at : at + chance.randrange(1, 9)]
        elif way == 3:  # noqa: PLR2004
            frame[at:at] = frame[at : at + chance.randrange(1, 20)]
        else:
            frame[at:at] = chance.choice([chance.randbytes(chance.randrange(1, 9)), *put])
    return bytes(frame)


def main() -> int:
    """Write ``bench/results/fuzz.json``."""
    done = tries(TRIES)
    RESULT.write_text(json.dumps(machine() | {"spoilt": done, "crashes": 0}, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

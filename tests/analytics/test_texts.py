import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from rigs.worlds import FIRST, HOURS, at, broken_window

from analytics.detectors import DETECTORS
from analytics.detectors.counter_fault import AGAIN, LEAPT
from analytics.detectors.silent_meter import NEVER_HEARD, SENSOR
from analytics.folding import DOOR, DOOR_AND_LIGHTS
from analytics.silent_agents import MANY, SILENT_AGENT, STORM

LOCALE = Path(__file__).parents[2] / "wording" / "locale"
PARTS = ("title", "what", "why", "check")
VARIANTS = {
    DOOR_AND_LIGHTS: DOOR,
    NEVER_HEARD: "silent_meter",
    SENSOR: "silent_meter",
    "stuck_meter_over": "stuck_meter",
    LEAPT: "counter_fault",
    AGAIN: "counter_fault",
}
OF_AGENTS = dict.fromkeys((SILENT_AGENT, MANY, STORM), "silent_meter")
"""Second sets of texts → the detector they belong to."""

MESSAGES = {name: name for name in DETECTORS} | VARIANTS | OF_AGENTS


@pytest.fixture(scope="module", params=["en", "zh_Hans"])
def texts(request):
    with (LOCALE / request.param / "LC_MESSAGES" / "alerts.po").open("rb") as file:
        said = {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}
    return {name: text for name, text in said.items() if name.startswith("alert.")}


@pytest.fixture(scope="module")
def findings():
    return {name: first_finding(make(), broken_window(name)) for name, make in DETECTORS.items()}


def first_finding(detector, window):
    hours = range(FIRST, HOURS)
    return next(found for hour in hours for found in detector.detect(window.scene(at(hour))))


def test_every_detector_has_its_four_texts_and_no_text_is_left_over(texts):
    assert set(texts) == {f"alert.{name}.{part}" for name in MESSAGES for part in PARTS}
    assert all(texts.values())


def test_texts_name_only_what_their_finding_carries(texts, findings):
    for text_id, text in texts.items():
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        carried = findings[MESSAGES[text_id.split(".")[1]]].params
        given = {"door", "agent", "number", *carried}  # who writes the text names the door
        assert named <= given, text_id


def test_one_sentence_says_what_is_wrong_in_eighty_characters(texts):
    for name in MESSAGES:
        text = texts[f"alert.{name}.what"]
        places = {place: "x" * 10 for _, place, _, _ in string.Formatter().parse(text) if place}
        assert len(text.format(**places)) <= 80, name

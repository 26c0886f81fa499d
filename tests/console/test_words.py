"""Numbers, words and catalogues in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from rigs.sample import SITE

from console.api.events import message
from console.catalogues import problems
from device_profiles import load_profiles
from facility.documents.site import load_site
from wording.alerts import render
from wording.formats import Formats
from wording.texts import choose_language, load_texts

EN = Formats("en", "Europe/London", "GBP")
ZH = Formats("zh-Hans", "Asia/Shanghai", "CNY")


@pytest.fixture(scope="module")
def catalogue():
    return load_site(SITE.read_text(), SITE.name, load_profiles())


def test_the_catalogues_are_complete():
    assert problems() == []


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (EN.power(850), "850 W"),
        (EN.power(128_400), "128 kW"),
        (EN.power(12_840_000), "12.8 MW"),
        (EN.use(9_876.0, "kWh"), "9,876 kWh"),
        (EN.use(12_345.0, "kWh"), "12.3 MWh"),
        (EN.use(0.34, "m3"), "340 L"),
        (EN.use(1.92, "m3"), "1.92 m³"),
        (EN.use(float("nan"), "kWh"), "–"),
        (EN.power(None), "–"),
    ],
)
def test_units_follow_the_size(shown, text):
    assert str(shown).replace("\N{NO-BREAK SPACE}", " ") == text


def test_money_is_in_the_sites_currency():
    assert EN.money(11.5) == "£11.50"
    assert EN.money(4021.7) == "£4,022"
    assert ZH.money(11.5) == "¥11.50"
    assert EN.money(float("nan")) == "–"


def test_shares_have_a_sign_where_it_matters():
    assert EN.percent(0.12, signed="yes") == "+12%"
    assert EN.percent(-0.12, signed="yes") == "−12%"
    assert EN.percent(0.001, signed="yes") == "0%"


def test_times_are_the_sites():
    at = datetime(2026, 6, 20, 17, 30, tzinfo=UTC)
    assert EN.instant(at) == "Sat 20 Jun 18:30"
    assert ZH.instant(at) == "6月21日周日 01:30"
    assert ZH.day(date(2026, 6, 21)) == "6月21日周日"
    assert EN.lasting(timedelta(hours=6)) == "6 hours"
    assert ZH.lasting(timedelta(days=3)) == "3天"


def test_an_alert_is_worded_for_its_reader(catalogue):
    params = {"meter": "lib-water", "building": "lib", "hours_h": 38, "rate_qty": 0.28, "unit": "m3",
              "excess_qty": 10.6, "per_day_qty": 6.7}  # fmt: skip
    english = render("alert.continuous_flow", params, "en", catalogue)
    chinese = render("alert.continuous_flow", params, "zh-Hans", catalogue)
    assert "Library water meter" in english.what
    assert "280\N{NO-BREAK SPACE}L" in english.what
    assert "图书馆水表" in chinese.what
    assert len(english.what) <= 80


def test_wording_survives_a_missing_parameter_and_an_unknown_message(catalogue):
    assert "–" in render("alert.continuous_flow", {"meter": "gone"}, "en", catalogue).what
    assert render("alert.unheard_of", {}, "en", catalogue).title == "alert.unheard_of.title"


def test_instants_in_parameters_are_local(catalogue):
    texts = render("alert.stuck_meter", {"meter": "lib-power", "building": "lib", "hours_h": 5}, "en", catalogue)
    assert "5 hours" in texts.what


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        (("zh-Hans", "en"), "zh-Hans"),
        (("", "", "zh-CN,zh;q=0.9,en;q=0.5"), "zh-Hans"),
        (("", "fr-FR,en-GB;q=0.8"), "en"),
        (("", ""), "en"),
    ],
)
def test_the_first_wish_that_we_speak_wins(wishes, language):
    assert choose_language(*wishes) == language


def test_both_languages_are_loaded():
    assert load_texts("en")("nav.now") == "Now"
    assert load_texts("zh-Hans")("nav.now") == "总览"


def test_an_event_is_framed_line_by_line():
    assert message("live", "<a>\n<b>", "7") == "id: 7\nevent: live\ndata: <a>\ndata: <b>\n\n"

"""Numbers, words and catalogues in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.messages.pofile import read_po
from rigs.sample import SITE

from device_profiles import load_profiles
from facility.documents.site import load_site
from tools.catalogues import problems
from wording.alerts import render
from wording.formats import Formats
from wording.texts import DOMAINS, LANGUAGES, LOCALE_FOLDER, Texts, choose_language, load_texts, read_catalogue

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


def test_a_bill_prints_every_digit_and_always_the_cent():
    assert (EN.billed(Decimal("7017.60")), ZH.billed(Decimal("7017.60"))) == ("7,017.60 GBP", "¥7,017.60")
    yen, dinar = (Formats("en", "Asia/Tokyo", currency) for currency in ("JPY", "KWD"))
    assert (yen.billed(Decimal(-1205)), dinar.billed(Decimal("-0.005"))) == ("-1,205 JPY", "-0.005 KWD")
    assert [one.money(12.3456).lstrip("JP¥KWD\N{NO-BREAK SPACE}") for one in (yen, dinar)] == ["12", "12.346"]
    assert (EN.exact(Decimal("8928.000")), EN.exact(84211.7), EN.exact(1 / 3)) == (
        "8,928.000",
        "84,211.7",
        "0.3333333333",
    )
    assert ZH.written_minute(datetime(2026, 6, 20, 17, 30, tzinfo=UTC)) == "2026-06-21 01:30"
    assert ZH.written_minute(datetime(2026, 6, 20, 17, 30, 5, tzinfo=UTC)) == "2026-06-21 01:30:05"


def test_shares_have_a_sign_where_it_matters():
    assert EN.percent(0.12, signed=True) == "+12%"
    assert EN.percent(-0.12, signed=True) == "−12%"
    assert EN.percent(0.001, signed=True) == "0%"


def test_times_are_the_sites():
    at = datetime(2026, 6, 20, 17, 30, tzinfo=UTC)
    assert EN.instant(at) == "Sat 20 Jun 18:30"
    assert ZH.instant(at) == "6月21日周日 01:30"
    assert ZH.day(date(2026, 6, 21)) == "6月21日周日"
    assert EN.lasting(timedelta(hours=6)) == "6 hours"
    assert ZH.lasting(timedelta(days=3)) == "3 天"


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


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_read_as_gettext_reads_it(language, domain):
    with (LOCALE_FOLDER / LANGUAGES[language] / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        entries = read_po(file)
    assert read_catalogue(language, domain) == {e.id: e.string for e in entries if e.id and e.string and not e.fuzzy}


def test_a_text_of_several_lines_and_with_quotes_is_read_as_gettext_reads_it(tmp_path, monkeypatch):
    text = 'msgid ""\n"a."\n"b"\nmsgstr ""\n"one \\"two\\"\\n"\n"three"\n\nmsgid "c"\nmsgstr ""\n'
    (tmp_path / "en" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "en" / "LC_MESSAGES" / "odd.po").write_text(text)
    monkeypatch.setattr("wording.texts.LOCALE_FOLDER", tmp_path)
    assert read_catalogue("en", "odd") == {"a.b": 'one "two"\nthree'}


def test_one_thing_is_counted_in_its_own_words():
    one = Texts("en", {"x": "{n} items", "x.one": "{n} item", "y": "{n} 条"})
    assert [one.counted("x", n) for n in (0, 1, 1200)] == ["0 items", "1 item", "1,200 items"]
    assert one.counted("y", 1) == "1 条"

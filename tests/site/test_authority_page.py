"""The page that puts the site's authority on a phone."""

import hashlib
import re
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
import segno
from rigs.certificates import Authority as Signer
from rigs.sample import make_sample
from rigs.serving import served

from console.authority import Authority
from facility.errors import ConfigError
from wording.texts import load_texts


@pytest.fixture
def sample(tmp_path):
    made = make_sample(tmp_path, datetime.now(UTC))
    yield made
    made.store.close()
    made.records.dispose()


@pytest.fixture
def client(sample):
    """A browser before the console whose certificate ``of`` signed."""

    @contextmanager
    def opened(of):
        console = served(sample.store, sample.records, lambda: sample.now, authority=of)
        with console as (address, _), httpx.Client(base_url=address) as browser:
            yield browser

    return opened


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_stranger_is_given_the_authority_its_fingerprint_and_a_picture_of_the_address(client, tmp_path, language):
    ca = Signer(tmp_path).ca
    der = ssl.PEM_cert_to_DER_cert(ca.read_text())
    authority = Authority.at(ca, ["127.0.0.1:8443", "[::1]:8443", "localhost:8443", "site:8443"])
    with client(authority) as browser:
        page = browser.get("/ca", headers={"accept-language": language})
        taken, picture = browser.get("/ca.crt"), browser.get("/ca.svg")
    assert page.status_code == 200
    assert load_texts(language)("ca.title") in page.text
    assert hashlib.sha256(der).digest().hex(":").upper() in page.text
    assert "https://site:8443/ca" in page.text
    assert (taken.content, taken.headers["content-type"]) == (der, "application/x-x509-ca-cert")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert modules(picture.text) == [list(map(bool, row)) for row in segno.make("https://site:8443/ca").matrix]


def modules(svg):
    """The dark modules of a drawn QR code, row by row: strokes of one module's height, from left to right."""
    dark, x, y = set(), 0, 0.0
    drawn = re.search(r'stroke.*? d="([^"]+)"', svg)[1]
    for step, across, down in re.findall(r"([Mmh])(-?\d+)(?:[ ,]?(-?[\d.]+))?", drawn):
        if step == "h":
            dark |= {(x + i, int(y)) for i in range(int(across))}
            x += int(across)
        elif step == "m":
            x, y = x + int(across), y + float(down)
        else:
            x, y = int(across), float(down)
    first = min(x for x, _ in dark)
    size = max(x for x, _ in dark) - first + 1
    return [[(first + i, first + j) in dark for i in range(size)] for j in range(size)]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_who_is_signed_in_finds_the_page_from_every_other(client, sample, tmp_path, language):
    with client(Authority.at(Signer(tmp_path).ca, ["site:8443"])) as browser:
        browser.cookies.set("meterhouse_session", sample.session(language))
        for path in ("/", "/alerts", "/people"):
            text = browser.get(path, headers={"accept-language": language}).text
            assert f'<a href="/ca">{load_texts(language)("foot.trust")}</a>' in text
        assert load_texts(language)("ca.title") in browser.get("/ca", headers={"accept-language": language}).text


def test_where_the_certificate_is_somebody_elses_there_is_no_such_page(client, sample):
    with client(None) as browser:
        assert [browser.get(path).status_code for path in ("/ca", "/ca.crt", "/ca.svg")] == [404, 404, 404]
        browser.cookies.set("meterhouse_session", sample.session())
        assert 'href="/ca"' not in browser.get("/").text


def test_a_key_or_a_missing_file_is_never_handed_out(tmp_path):
    signer = Signer(tmp_path)
    for file in (signer.ca.with_suffix(".key"), tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match="METERHOUSE_CA"):
            Authority.at(file, ["site:8443"])

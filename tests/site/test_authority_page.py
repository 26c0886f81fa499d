"""The page that puts the site's authority on a phone."""

import hashlib
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
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
    assert b"<svg" in picture.content


def test_where_the_certificate_is_somebody_elses_there_is_no_such_page(client):
    with client(None) as browser:
        assert [browser.get(path).status_code for path in ("/ca", "/ca.crt", "/ca.svg")] == [404, 404, 404]


def test_a_key_or_a_missing_file_is_never_handed_out(tmp_path):
    signer = Signer(tmp_path)
    for file in (signer.ca.with_suffix(".key"), tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match="METERHOUSE_CA"):
            Authority.at(file, ["site:8443"])

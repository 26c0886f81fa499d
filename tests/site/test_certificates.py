"""The site's own authority: what it vouches for, when its certificate is renewed, and which given ones are refused."""

import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from facility.errors import ConfigError
from meterhouse.up.certificates import SERVER_DAYS, CertificateFiles, check_given, make_sure
from meterhouse.up.names import OWN

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def files(tmp_path):
    made = CertificateFiles(tmp_path)
    assert make_sure(made, "Town hall", (*OWN, "meters.town.example"), NOW, ("192.168.7.7",))
    return made


def _end(files):
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()).not_valid_after_utc


def test_nothing_is_made_twice(files):
    assert not make_sure(files, "Town hall", (*OWN, "meters.town.example"), NOW, ("192.168.7.7",))


def test_keys_are_for_their_owner_alone(files):
    for key in (files.key, files.ca_key):
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_certificate_is_renewed_before_it_ends_by_the_same_authority(files):
    ca, ends = files.ca.read_bytes(), _end(files)
    assert not make_sure(files, "Town hall", OWN, ends - timedelta(days=61))
    assert make_sure(files, "Town hall", OWN, ends - timedelta(days=59))
    assert _end(files) - ends > timedelta(days=SERVER_DAYS - 62)
    assert files.ca.read_bytes() == ca


def test_a_new_address_gives_a_new_certificate_and_one_that_it_may_not_vouch_for_is_left_out(files):
    assert make_sure(files, "Town hall", OWN, NOW, ("10.1.2.3", "203.0.113.9"))
    stated = x509.load_pem_x509_certificate(files.certificate.read_bytes()).extensions
    names = stated.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "10.1.2.3" in map(str, names.get_values_for_type(x509.IPAddress))
    assert "203.0.113.9" not in map(str, names.get_values_for_type(x509.IPAddress))


def test_a_name_that_the_authority_was_not_made_for_is_refused(files):
    with pytest.raises(ConfigError, match=r"may not vouch for 'bank\.example'"):
        make_sure(files, "Town hall", (*OWN, "bank.example"), NOW)


def test_a_client_believes_the_site_and_nobody_else_by_the_same_authority(files, tmp_path):
    """Whoever stole the authority's key could still not pretend to be another site: verified by OpenSSL itself."""
    assert _greeting(files.certificate, files.key, files.ca, "localhost") == "TLS"
    evil, key = tmp_path / "evil.pem", tmp_path / "evil.key"
    request, extensions = tmp_path / "evil.csr", tmp_path / "evil.ext"
    extensions.write_text("subjectAltName=DNS:bank.example\n")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    _openssl("req", *curve, "-out", request, "-subj", "/CN=evil")
    signer = ["-CA", files.ca, "-CAkey", files.ca_key, "-CAserial", tmp_path / "serial", "-CAcreateserial"]
    _openssl("x509", "-req", "-in", request, "-out", evil, "-days", "2", *signer, "-extfile", extensions)
    assert "permitted subtree violation" in _greeting(evil, key, files.ca, "bank.example")


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def _greeting(certificate, key, ca, name):
    """``TLS``, or why a client that trusts ``ca`` refuses the server that shows ``certificate``."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)
    asking = ssl.create_default_context(cafile=str(ca))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = asking.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(6):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    return (client.version() or "none")[:3]


@pytest.mark.parametrize(
    ("days", "sentence"), [(5, "ends on .*, in 5 days"), (-1, "ended on"), (13, "in 13 days"), (30, None)]
)
def test_a_given_certificate_that_ends_soon_is_refused(files, days, sentence):
    at = _end(files) - timedelta(days=days)
    if sentence is None:
        check_given(files.certificate, files.key, at)
        return
    with pytest.raises(ConfigError, match=sentence):
        check_given(files.certificate, files.key, at)


def test_a_given_key_of_another_certificate_is_refused(files):
    with pytest.raises(ConfigError, match="does not belong to the certificate"):
        check_given(files.certificate, files.ca_key, NOW)


def test_files_that_hold_something_else_are_named(files, tmp_path):
    shutil.copy(files.key, tmp_path / "no.pem")
    with pytest.raises(ConfigError, match="holds no certificate in PEM"):
        check_given(tmp_path / "no.pem", files.key, NOW)
    with pytest.raises(ConfigError, match="holds no key in PEM"):
        check_given(files.certificate, files.certificate, NOW)
    with pytest.raises(ConfigError, match="cannot be read"):
        check_given(tmp_path / "nowhere.pem", files.key, NOW)

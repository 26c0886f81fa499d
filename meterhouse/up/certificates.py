"""The site's own authority and the server's certificate: made at first start, renewed before they end.

The authority may vouch for names of this site alone (RFC 5280, 4.2.1.10): private networks, and names that the server
was given. Put on a phone, it can be misused for no other page.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facility.errors import ConfigError
from facility.so_many import so_many
from meterhouse.up.private_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Apple's devices refuse what they shall trust for longer (CA/Browser Forum Baseline Requirements 6.3.2)."""

RENEW_BEFORE = timedelta(days=60)
ENDS_SOON = timedelta(days=14)
"""A given certificate that ends sooner is refused: whoever gave it is at the machine now."""

PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
PRIVATE_NAMES = ("localhost", "local", "lan", "internal", "home.arpa")
READABLE = 0o644


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where authority and certificate of a server lie."""

    folder: Path

    @property
    def ca(self) -> Path:
        """What phones and agents are given."""
        return self.folder / "ca.pem"

    @property
    def ca_key(self) -> Path:
        """What must never leave the server."""
        return self.folder / "ca.key"

    @property
    def certificate(self) -> Path:
        """The server's certificate."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """Its key."""
        return self.folder / "server.key"


def make_sure(
    files: CertificateFiles, site: str, names: Iterable[str], now: datetime, found: Iterable[str] = ()
) -> bool:
    """Make what is missing, what ends soon, and what does not stand for all ``names``; say whether anything was made.

    Names that the machine was ``found`` to have stand in the certificate too, as far as the authority vouches for them:
    addresses change. Raises ``ConfigError`` where it was made for other ``names``, or its files cannot be used.
    """
    wanted, beside = sorted({*names}), sorted({*found})
    if not files.ca.exists() and not files.ca_key.exists():
        _make_authority(files, site, [*wanted, *beside], now)
    authority, key = _read(files.ca), _read_key(files.ca_key, files.ca)
    if authority.not_valid_after_utc - RENEW_BEFORE <= now:
        ends = authority.not_valid_after_utc.date()
        raise ConfigError(
            f"the authority {files.ca} ends on {ends}: move it and its key away, start again,"
            " and let phones and agents trust the new one"
        )
    if strange := [name for name in wanted if not _may_vouch(authority, name)]:
        raise ConfigError(
            f"the authority {files.ca} may not vouch for '{strange[0]}', a name that the server had not when it was"
            " made: give a certificate by METERHOUSE_CERT, or move the authority and its key away, start again,"
            " and let phones and agents trust the new one"
        )
    wanted = sorted({*wanted, *(name for name in beside if _may_vouch(authority, name))})
    if files.certificate.exists() and files.key.exists() and _is_good(files, authority, wanted, now):
        return False
    _make_certificate(files, authority, key, wanted, now)
    return True


def check_given(certificate: Path, key: Path, now: datetime) -> None:
    """Raise ``ConfigError`` for a certificate and key that do not belong together, or that end within two weeks."""
    given = _read(certificate)
    if _public(_read_key(key, certificate)) != _public(given):
        raise ConfigError(f"the key {key} does not belong to the certificate {certificate}")
    ends, begins = given.not_valid_after_utc, given.not_valid_before_utc
    if begins > now:
        raise ConfigError(f"the certificate {certificate} holds from {begins:%Y-%m-%d} on only")
    if ends <= now:
        raise ConfigError(f"the certificate {certificate} ended on {ends:%Y-%m-%d}: METERHOUSE_CERT must name another")
    if ends - ENDS_SOON <= now:
        raise ConfigError(
            f"the certificate {certificate} ends on {ends:%Y-%m-%d}, in {so_many((ends - now).days, 'day')}:"
            f" METERHOUSE_CERT must name one that lasts {ENDS_SOON.days} days at least"
        )


def fingerprint(ca: bytes) -> str:
    """SHA-256 of a certificate in PEM, as phones show it: ``AB:CD:…``."""
    return x509.load_pem_x509_certificate(ca).fingerprint(hashes.SHA256()).hex(":").upper()


def _make_authority(files: CertificateFiles, site: str, names: list[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"{site} (Meterhouse {now:%Y-%m})")
    made = (
        _begun(name, name, key, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_whole(files.ca_key, _key_text(key))
    write_whole(files.ca, made.public_bytes(serialization.Encoding.PEM), READABLE)


def _make_certificate(
    files: CertificateFiles,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    names: list[str],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    days = min(SERVER_DAYS, (authority.not_valid_after_utc - now).days)
    public = [name for name in names if name != "localhost" and _address(name) is None]
    made = (
        _begun(_name((public or names)[0]), authority.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )
    write_whole(files.key, _key_text(key))
    write_whole(files.certificate, made.public_bytes(serialization.Encoding.PEM), READABLE)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks of devices differ
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _permitted(names: list[str]) -> list[x509.GeneralName]:
    known = {*PRIVATE_NAMES, *(name for name in names if _address(name) is None)}
    networks = [ipaddress.ip_network(one) for one in PRIVATE_NETWORKS]
    own = [ipaddress.ip_network(address) for name in names if (address := _address(name)) is not None]
    outside = [one for one in own if not any(one.version == net.version and one.subnet_of(net) for net in networks)]  # type: ignore[arg-type]
    return [*(x509.DNSName(name) for name in sorted(known)), *(x509.IPAddress(one) for one in [*networks, *outside])]


def _may_vouch(authority: x509.Certificate, name: str) -> bool:
    allowed = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    address = _address(name)
    if address is None:
        domains = [one.value for one in allowed if isinstance(one, x509.DNSName)]
        return any(name == one or name.endswith(f".{one}") for one in domains)
    return any(address in one.value for one in allowed if isinstance(one, x509.IPAddress))  # type: ignore[operator]


def _is_good(files: CertificateFiles, authority: x509.Certificate, names: list[str], now: datetime) -> bool:
    made = _read(files.certificate)
    try:
        made.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    stated = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    lasts = made.not_valid_after_utc - RENEW_BEFORE > now
    belongs = _public(_read_key(files.key, files.certificate)) == _public(made)
    return lasts and belongs and {_general(name) for name in names} <= {*stated}


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the certificate {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} holds no certificate in PEM") from None


def _read_key(path: Path, of: Path) -> ec.EllipticCurvePrivateKey:
    """Of whatever kind a given one is; our own are of this."""
    try:
        return serialization.load_pem_private_key(path.read_bytes(), None)  # type: ignore[return-value]
    except OSError as error:
        raise ConfigError(f"the key {path} of {of} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise ConfigError(f"{path} holds no key in PEM without a password") from None


def _public(of: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    return of.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None

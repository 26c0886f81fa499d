"""Whose word a broker's address is: with credentials where they are needed, without where nobody asks for them."""

from __future__ import annotations

import re

import pytest

from facility.broker_address import SecretPlace, broker_address, without_password
from facility.errors import ConfigError
from facility.tls_files import TlsFiles


def test_credentials_may_be_left_out_where_they_are_optional():
    address = broker_address("mqtts://radio", "bus radio", needs_credentials=False)
    assert (address.host, address.port, address.user, address.password) == ("radio", 8883, "", "")
    with pytest.raises(ConfigError, match="bus radio: is no broker URL with credentials"):
        broker_address("mqtts://radio", "bus radio")


@pytest.mark.parametrize(
    "url",
    [
        "http://u:secret@h",
        "mqtt://",
        "mqtt://u:secret@h:port",
        "mqtt://u:secret/x@h",
        "x",
        "mqtt://h:0",
        "mqtt://a..b",
        "mqtt://a b",
        "mqtt://" + "h" * 64,
    ],
)
def test_an_address_that_names_no_broker_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError, match="allowed: mqtt://user:password@host:1883") as caught:
        broker_address(url, needs_credentials=False)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "mqtts://u:p@h?ca=a&chain=b",
            "has 'chain' after the question mark (allowed: ca, cert, key, plain, password_file, password_env)",
        ),
        ("mqtt://u:p@h?ca=a", "names files that only mqtts:// uses"),
        ("mqtts://u:p@h?key=a", "names a key without its certificate"),
        ("mqtts://u@h?ca=a", "is no broker URL with credentials"),
    ],
)
def test_what_is_wrong_with_the_files_of_tls_is_told(url, sentence):
    with pytest.raises(ConfigError, match=f"METERHOUSE_BROKER: {re.escape(sentence)}"):
        broker_address(url)


def test_tls_has_a_port_of_its_own_and_a_certificate_stands_for_a_password():
    address = broker_address("mqtts://edge-1@broker.example?ca=/etc/a%20b/ca.pem&cert=c.pem&key=k.pem")
    assert (address.port, address.password) == (8883, "")
    assert address.tls == TlsFiles("/etc/a b/ca.pem", "c.pem", "k.pem")
    assert broker_address("mqtts://u:p@h:1").tls == TlsFiles()
    assert broker_address("mqtt://u:p@localhost:1").tls is None


@pytest.mark.parametrize(
    "host", ["h", "192.0.2.7", "10.0.0.1", "[2001:db8::1]", "127.0.0.1.example", "localhost.example"]
)
def test_beyond_this_machine_a_line_without_tls_must_be_wanted_in_so_many_words(host):
    with pytest.raises(
        ConfigError, match=r"METERHOUSE_BROKER: has no TLS, and others may listen .*plain=yes"
    ) as refused:
        broker_address(f"mqtt://u:secret@{host}")
    assert "secret" not in str(refused.value)
    assert broker_address(f"mqtt://u:secret@{host}?plain=yes").tls is None
    assert broker_address(f"mqtts://u:secret@{host}").tls is not None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_on_this_machine_nobody_listens_on_the_way(host):
    assert broker_address(f"mqtt://u:p@{host}").port == 1883


@pytest.mark.parametrize(
    "query",
    [
        "plain=no",
        "plain=",
        "plain",
        "password_file=",
        "password_env=",
        "password_env=A-B",
        "password_file=a&password_env=B",
    ],
)
def test_words_that_say_nothing_are_refused(query):
    with pytest.raises(ConfigError, match="METERHOUSE_BROKER: "):
        broker_address(f"mqtt://u@localhost?{query}")


def test_tls_and_none_is_a_contradiction():
    with pytest.raises(ConfigError, match="wants TLS and none"):
        broker_address("mqtts://u:p@h?plain=yes")


def test_a_password_is_named_where_it_is_kept():
    by_file = broker_address("mqtt://u@localhost?password_file=/etc/a%20b")
    assert (by_file.password, by_file.password_place) == ("", SecretPlace(file="/etc/a b"))
    assert broker_address("mqtts://u@h?password_env=WORD").password_place == SecretPlace(variable="WORD")
    for url in ("mqtt://u:p@localhost?password_env=WORD", "mqtt://localhost?password_env=WORD"):
        with pytest.raises(ConfigError, match="names a password more than once, or not at all"):
            broker_address(url, needs_credentials=False)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("mqtt://u:se/cret@h:1", "mqtt://u:se/cret@h:1"),  # no password: a path
        ("mqtt://u:secret@h:1", "mqtt://u@h:1?password_env=METERHOUSE_PASSWORD_RADIO_1"),
        ("mqtts://u:s%40t@[::1]:8?ca=a", "mqtts://u@[::1]:8?ca=a&password_env=METERHOUSE_PASSWORD_RADIO_1"),
        ("mqtt://u:@h", "mqtt://u@h"),
        ("mqtt://:secret@h", "mqtt://h?password_env=METERHOUSE_PASSWORD_RADIO_1"),
        ("mqtt://u@h", "mqtt://u@h"),
        ("modbus+tcp://h:502", "modbus+tcp://h:502"),
        ("mqtt://[h", "mqtt://[h"),
    ],
)
def test_what_is_kept_of_a_url_holds_no_password(url, kept):
    assert without_password(url, "radio-1") == kept
    assert without_password(kept, "radio-1") == kept

"""Whose word a broker's address is: with credentials where they are needed, without where nobody asks for them."""

from __future__ import annotations

import re

import pytest

from facility.broker_address import TlsFiles, broker_address
from facility.errors import ConfigError


def test_credentials_may_be_left_out_where_they_are_optional():
    address = broker_address("mqtt://radio", "bus radio", needs_credentials=False)
    assert (address.host, address.port, address.user, address.password) == ("radio", 1883, "", "")
    with pytest.raises(ConfigError, match="bus radio: is no broker URL with credentials"):
        broker_address("mqtt://radio", "bus radio")


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
        ("mqtts://u:p@h?ca=a&chain=b", "has 'chain' after the question mark (allowed: ca, cert, key)"),
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
    assert broker_address("mqtt://u:p@h:1").tls is None

"""Whose word a broker's address is: with credentials where they are needed, without where nobody asks for them."""

from __future__ import annotations

import pytest

from facility.broker_address import broker_address
from facility.errors import ConfigError


def test_credentials_may_be_left_out_where_they_are_optional():
    address = broker_address("mqtt://radio", "bus radio", credentials="optional")
    assert (address.host, address.port, address.user, address.password) == ("radio", 1883, "", "")
    with pytest.raises(ConfigError, match="bus radio: is no broker URL with credentials"):
        broker_address("mqtt://radio", "bus radio")


@pytest.mark.parametrize("url", ["http://u:secret@h", "mqtt://", "mqtt://u:secret@h:port", "mqtt://u:secret/x@h", "x"])
def test_an_address_that_names_no_broker_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError, match="allowed: mqtt://user:password@host:1883") as caught:
        broker_address(url, credentials="optional")
    assert "secret" not in str(caught.value)

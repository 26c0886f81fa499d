"""Secrets that are named and not written."""

from __future__ import annotations

import pytest

from facility.broker_address import broker_address
from facility.errors import ConfigError
from process.kept_secret import password_of


def address(query):
    return broker_address(f"mqtt://u@localhost?{query}")


def test_a_password_comes_from_a_file_of_ours_alone(tmp_path):
    file = tmp_path / "word"
    file.touch(mode=0o600)
    file.write_text("pass word\n")
    assert password_of(address(f"password_file={file}")) == "pass word"
    for mode in (0o640, 0o604, 0o666):
        file.chmod(mode)
        with pytest.raises(ConfigError, match=f"others than its owner may read .* chmod 600 {file}"):
            password_of(address(f"password_file={file}"))


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_that_holds_no_password_is_named(tmp_path, content):
    file = tmp_path / "word"
    file.touch(mode=0o600)
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=str(file)):
        password_of(address(f"password_file={file}"))
    with pytest.raises(ConfigError, match=f"{tmp_path}/none cannot be read"):
        password_of(address(f"password_file={tmp_path}/none"))


def test_a_password_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("RADIO_WORD", "secret")
    assert password_of(address("password_env=RADIO_WORD")) == "secret"
    monkeypatch.delenv("RADIO_WORD")
    with pytest.raises(ConfigError, match="the variable RADIO_WORD holds no password"):
        password_of(address("password_env=RADIO_WORD"))

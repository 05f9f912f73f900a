"""Names of servers, out of packets that anybody may have sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.parsers.pcap.server_names import (
    client_hello_name,
    host_name,
    is_client_hello,
    without_port,
)

from .conversations import client_hello, extension, server_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"www.Example.COM", "www.example.com"),
        (b" www.example.com. ", "www.example.com"),
        (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
        (b"_dmarc.example", "_dmarc.example"),
        (b"192.0.2.1", "192.0.2.1"),
        (b"localhost", "localhost"),
        (b"a" * 63 + b".b", "a" * 63 + ".b"),
        (b".".join([b"abcdefg"] * 31) + b".abcde", ".".join(["abcdefg"] * 31) + ".abcde"),
        (b"", None),
        (b".", None),
        (b"a..b", None),
        (b"-a.example", None),
        (b"a-.example", None),
        (b"a b", None),
        (b"a\nb", None),
        (b"a.example\n.", None),
        (b"a\x00b", None),
        (b"b\xc3\xbccher.example", None),
        (b"<script>", None),
        (b"[2001:db8::1]", None),
        (b"a" * 64, None),
        (b".".join([b"abcdefg"] * 31) + b".abcdefg", None),
    ],
)
def test_host_names(text: bytes, name: str | None) -> None:
    assert host_name(text) == name


@given(st.binary(max_size=300))
@example(b"a" * 300)
def test_nothing_but_host_names(text: bytes) -> None:
    name = host_name(text)
    if name is not None:
        assert re.fullmatch(r"[a-z0-9_.-]{1,253}", name)
        assert all(0 < len(label) < 64 for label in name.split("."))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        (b" www.example.com:8080\r", b"www.example.com"),
        (b"www.example.com:", b"www.example.com"),
        (b"www.example.com:80a", b"www.example.com:80a"),
        (b"a:1:2", b"a:1"),
        (b"", b""),
    ],
)
def test_ports(text: bytes, host: bytes) -> None:
    assert without_port(text) == host


def test_client_hello() -> None:
    message = client_hello(b"WWW.example.com")
    assert is_client_hello(message)
    assert client_hello_name(message) == b"WWW.example.com"
    assert client_hello_name(client_hello(b"a.example", padding=500)) == b"a.example"


def test_no_name() -> None:
    message = client_hello(None)
    assert is_client_hello(message)
    assert client_hello_name(message) == b""


@pytest.mark.parametrize(
    "version", [b"\x03\x00", b"\x03\x01", b"\x03\x02", b"\x03\x03", b"\x03\x04"]
)
def test_versions(version: bytes) -> None:
    assert is_client_hello(client_hello(version=version))


@pytest.mark.parametrize("version", [b"\x02\x00", b"\x03\x05", b"\x04\x00", b"\xfe\xfd"])
def test_other_versions(version: bytes) -> None:
    assert not is_client_hello(client_hello(version=version))


def test_another_kind_of_name_before_it() -> None:
    entries = b"\x01\x00\x02xy" + b"\x00\x00\x09a.example"
    body = client_hello(None)[4:71] + b"\x00\x02\x13\x01\x01\x00"
    added = extension(0, len(entries).to_bytes(2) + entries)
    body += len(added).to_bytes(2) + added
    assert client_hello_name(b"\x01" + len(body).to_bytes(3) + body) == b"a.example"


def test_a_cookie_of_dtls() -> None:
    added = server_name(b"a.example")
    body = b"\xfe\xfd" + bytes(32) + b"\x00" + b"\x03abc" + b"\x00\x02\x13\x01\x01\x00"
    body += len(added).to_bytes(2) + added
    message = b"\x01" + len(body).to_bytes(3) + body
    assert is_client_hello(message, is_datagram=True)
    assert client_hello_name(message, is_datagram=True) == b"a.example"
    assert not is_client_hello(message)


def test_broken_ones() -> None:
    message = client_hello()
    odd_ciphers = message[:72] + b"\x03" + message[73:]
    no_methods = message[:77] + b"\x00" + message[78:]
    for broken in (b"", message[:38], message[:39], message[:72], odd_ciphers, no_methods):
        assert not is_client_hello(broken)
        assert client_hello_name(broken) == b""


@given(place=st.integers(0, 200), change=st.binary(max_size=8), is_datagram=st.booleans())
def test_anything(*, place: int, change: bytes, is_datagram: bool) -> None:
    message = client_hello()
    changed = message[:place] + change + message[place + len(change) :]
    name = client_hello_name(changed, is_datagram=is_datagram)
    assert name == b"" or is_client_hello(changed, is_datagram=is_datagram)
    assert name in changed


@given(st.integers(0, 200))
def test_what_is_cut_off(size: int) -> None:
    name = client_hello_name(client_hello()[:size])
    assert b"www.example.com".startswith(name)

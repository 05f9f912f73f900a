from __future__ import annotations

import pytest

from analyzer.parsers.pcap.protocols.findings import Findings
from analyzer.parsers.pcap.protocols.security import is_kerberos, is_ntlm, read_token

from ..conversations import Conversation
from ..tokens import KERBEROS, NEGOTIATE, NTLM, RESPONSE, initial, kerberos, tagged


def found(*tokens: bytes, services: tuple[str, ...] = (), size: int = 0) -> str:
    findings = Findings(list(services), size=size)
    for token in tokens:
        read_token(findings, token)
        findings.settle()
    return ",".join(findings.services)


def test_what_is_held_comes_before_what_holds_it() -> None:
    assert found(initial(NTLM)) == "ntlm,gssapi"
    assert found(NEGOTIATE, initial(NTLM)) == "gssapi,ntlm"


def test_a_bare_message_of_ntlm() -> None:
    assert found(NTLM) == "ntlm"


def test_responses() -> None:
    assert found(RESPONSE) == "ntlm,gssapi"


def test_kerberos_with_and_without_a_wrapping() -> None:
    wrapped = tagged(0x60, b"\x06\x03\x2a\x03\x04" + b"\x01\x00" + KERBEROS)
    assert found(initial(wrapped)) == "krb,gssapi"
    assert found(initial(KERBEROS)) == "krb,gssapi"
    assert found(wrapped) == "krb"


def test_signatures_are_not_looked_into() -> None:
    assert found(b"\x04\x04\x05\xff" + bytes(20)) == "gssapi"
    assert found(b"\x05\x04\x06\xff" + bytes(20)) == "gssapi"


def test_nothing_is_nothing() -> None:
    assert found(b"") == ""


@pytest.mark.parametrize(
    "token", [b"\x30\x03abc", b"\xa1\x03\x02\x01\x00", initial(NTLM)[:-1], b"garbage"]
)
def test_what_is_none_takes_it_back(token: bytes) -> None:
    assert found(token, services=("gssapi", "smb")) == "smb"
    assert found(token, services=("gssapi", "smb"), size=20000) == "gssapi,smb"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (NTLM, True),
        (b"NTLMSSP\x00\x02\x00\x00\x00" + bytes(20), True),
        (b"NTLMSSP\x00\x03\x00\x00\x00" + bytes(51), False),
        (b"NTLMSSP\x00\x09\x00\x00\x00", True),
        (NTLM[:15], False),
        (b"NTLMSSX" + NTLM[7:], False),
        (b"NTLMSSP\x00", False),
    ],
)
def test_ntlm(message: bytes, *, expected: bool) -> None:
    assert is_ntlm(message) is expected


@pytest.mark.parametrize("number", [10, 11, 12, 13, 14, 15, 20, 21, 22, 30])
def test_kerberos(number: int) -> None:
    assert is_kerberos(kerberos(number))
    assert not is_kerberos(kerberos(number, version=4))
    assert not is_kerberos(kerberos(number, said=9))
    assert not is_kerberos(kerberos(number)[:8])


@pytest.mark.parametrize("message", [b"", b"\x6a", kerberos(9), b"\x30\x03\x02\x01\x05"])
def test_kerberos_that_is_none(message: bytes) -> None:
    assert not is_kerberos(message)


@pytest.mark.parametrize("port", [88, 40001])
def test_kerberos_over_udp(port: int) -> None:
    assert Conversation(port, over_udp=True).client(kerberos(10)).services == "krb"
    assert Conversation(port, over_udp=True).server(kerberos(30)).services == "krb"


@pytest.mark.parametrize("port", [88, 40001])
def test_kerberos_over_tcp(port: int) -> None:
    message = len(kerberos(12)).to_bytes(4) + kerberos(12)
    assert Conversation(port).byte_by_byte(message, is_originator=True).services == "krb_tcp"


def test_wrong_datagrams_take_it_back() -> None:
    assert Conversation(88, over_udp=True).client(b"\x6a\x03abc").services == ""
    assert Conversation(88).client(b"\x00\x00\x00\x05abcde").services == ""
    assert Conversation(88).client(b"\x7f\x00\x00\x05abcde").services == ""

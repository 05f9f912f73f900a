"""Which readers a connection is tried with, and that they can be told anything."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.protocols.session import MOST_BUFFERED, Signatures
from analyzer.parsers.pcap.service_names import SERVICES
from analyzer.parsers.pcap.signatures import (
    TCP_READERS,
    TCP_SIGNATURES,
    UDP_READERS,
    UDP_SIGNATURES,
)

from .conversations import ANY_PORT, HELLO, SERVER_HELLO, Conversation
from .tokens import NEGOTIATE, NTLM, kerberos

OPENINGS = [
    b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    b"CONNECT a.example:443 HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    HELLO,
    SERVER_HELLO,
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"220 mail.example.com ESMTP\r\n",
    b"EHLO me\r\nMAIL FROM:<a@b>\r\nSTARTTLS\r\n",
    b"USER me\r\nPASS x\r\nPORT 127,0,0,1,4,1\r\nEPSV\r\nAUTH TLS\r\n",
    b"230 Welcome\r\n227 Entering Passive Mode (127,0,0,1,4,1)\r\n229 (|||5000|)\r\n",
    b"+OK ready\r\n",
    b"* OK IMAP4rev1\r\n",
    b"NICK me\r\nUSER me 0 * :x\r\nPRIVMSG you :\x01DCC SEND a 2130706433 5000 1\x01\r\n",
    b":irc.example 001 me :Welcome\r\n",
    b"<stream:stream xmlns='jabber:client' xmlns:stream='x'>",
    b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    b"RFB 003.008\n",
    b"\x05\x01\x00",
    b"\x05\x00",
    b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50",
    b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
    b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
    b"\x00\x00\x00\x12\x00\x03\x00\x00user\x00me\x00\x00\x00",
    b"R\x00\x00\x00\x08\x00\x00\x00\x00",
    b"\x4a\x00\x00\x00\x0a8.0.33\x00\x08\x00\x00\x00" + bytes(60),
    b"*1\r\n$4\r\nPING\r\n",
    b"+PONG\r\n",
    b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00",
    b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
    b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01",
    b"\x05\x64\x05\xc9\x01\x00\x00\x04\xe9\x21",
    b"\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00\x01\x00\x00\x00" + bytes(56),
    b"\x00\x00\x00\x40\xfeSMB\x40\x00" + bytes(58),
    b"\x00\x00\x00\x2f\xffSMBr" + bytes(42),
    NEGOTIATE,
    NTLM,
    kerberos(10),
    len(kerberos(12)).to_bytes(4) + kerberos(12),
    b"\xc3\x00\x00\x00\x01\x08" + bytes(1200),
    b"\x16\xfe\xff" + bytes(10) + b"\x01" + bytes(40),
    b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
    b"INVITE sip:a@b SIP/2.0\r\n\r\n",
    b"<34>su: failed",
    b"\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x0e",
    b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63\x35\x01\x01\xff",
    b"\x01\x00\x00\x14" + bytes(16),
    b"\x30\xff\x00\x04" + bytes(4) + b"\x45" + bytes(30),
    b"\x08\x00\x00\x00\x00\x00\x01\x00" + bytes(14) + b"\x45" + bytes(30),
    b"\x60\x00\x00\x00\x00\x00\x3b\x40\x20\x01\x00\x00" + bytes(28),
    b"\x44\x52\x11\x29" + bytes(40),
]


def test_every_reader_is_called_by_a_name() -> None:
    kinds = {kind for kinds in (*TCP_READERS.values(), *UDP_READERS.values()) for kind in kinds}
    assert len(kinds) == 37
    assert all(kind.service in SERVICES for kind in kinds)


@pytest.mark.parametrize("signatures", [TCP_SIGNATURES, UDP_SIGNATURES])
def test_signatures_are_of_readers_with_names(signatures: Signatures) -> None:
    found = {
        signature.reader.service
        for first in range(256)
        for is_originator in (True, False)
        for signature, _ in signatures.beginning_with(first, is_originator=is_originator)
    }
    assert len(found) > 5
    assert found <= set(SERVICES)


NOTHING = (b"\xff" * 64, bytes(64), b"hello\r\n", b"\x80", b"0123456789" * 20)


@pytest.mark.parametrize("over_udp", [False, True])
@pytest.mark.parametrize("data", NOTHING)
def test_a_port_alone_names_nothing(data: bytes, *, over_udp: bool) -> None:
    for port in (*(UDP_READERS if over_udp else TCP_READERS), ANY_PORT):
        for answer in NOTHING:
            conversation = Conversation(port, over_udp=over_udp).client(data).server(answer)
            assert conversation.services == "", port


PORTS = st.sampled_from([*TCP_READERS, *UDP_READERS, ANY_PORT])


@st.composite
def sent(draw: st.DrawFn) -> bytes:
    """Beginnings of protocols, whole or not, one after another, with changes."""
    data = b"".join(draw(st.lists(st.sampled_from(OPENINGS) | st.binary(max_size=20), max_size=3)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        change = draw(st.binary(max_size=4))
        data = data[:place] + change + data[place + draw(st.integers(0, 4)) :]
    return data


@settings(deadline=None)
@given(
    port=PORTS,
    over_udp=st.booleans(),
    is_partial=st.booleans(),
    pieces=st.lists(st.tuples(sent(), st.booleans(), st.booleans()), max_size=6),
)
def test_anything(
    *, port: int, over_udp: bool, is_partial: bool, pieces: list[tuple[bytes, bool, bool]]
) -> None:
    conversation = Conversation(port, over_udp=over_udp, is_partial=is_partial)
    for data, is_originator, is_gap in pieces:
        if is_gap and not over_udp:
            conversation.session.gap(is_originator=is_originator)
        if data:
            conversation.session.deliver(data, is_originator=is_originator)
    services = conversation.findings.services
    assert len(set(services)) == len(services)
    assert set(services) <= set(SERVICES)


@settings(deadline=None)
@given(PORTS, st.lists(st.tuples(sent(), st.booleans()), max_size=4))
def test_how_a_stream_is_split_does_not_crash(port: int, pieces: list[tuple[bytes, bool]]) -> None:
    conversation = Conversation(port)
    for data, is_originator in pieces:
        conversation.byte_by_byte(data[:200], is_originator=is_originator)
    assert set(conversation.findings.services) <= set(SERVICES)


def size_of(thing: object, seen: set[int]) -> int:
    """Bytes that a session keeps, all in all."""
    if id(thing) in seen or isinstance(thing, (type, str, int)):
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    names = {*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())}
    size += sum(size_of(getattr(thing, name, None), seen) for name in names)
    if isinstance(thing, dict):
        size += sum(size_of(part, seen) for pair in thing.items() for part in pair)
    elif isinstance(thing, (list, tuple, set)):
        size += sum(size_of(part, seen) for part in thing)
    return size


@pytest.mark.parametrize("over_udp", [False, True])
@pytest.mark.parametrize("opening", OPENINGS)
def test_memory_of_a_connection_is_bounded(opening: bytes, *, over_udp: bool) -> None:
    for port in UDP_READERS if over_udp else TCP_READERS:
        conversation = Conversation(port, over_udp=over_udp)
        signatures = conversation.session.signatures
        for _ in range(100):
            for filler in (b"a" * 1400, b"\x00" * 1400):
                conversation.client(opening, filler).server(opening, filler)
                conversation.findings.expected.clear()
        assert size_of(conversation.session, {id(signatures)}) < 8 * MOST_BUFFERED, port

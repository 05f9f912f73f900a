from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.protocols.datagrams import is_ntp, is_quic_initial
from analyzer.parsers.pcap.signatures import UDP_READERS

from ..conversations import Conversation

DHCP = b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63"
GET = bytes.fromhex(
    "302602010004067075626c6963a01902014002010002010030 0e300c06082b060102010103000500"
)
GOT = GET.replace(b"\xa0\x19", b"\xa2\x19")
RADIUS = b"\x01\x05\x00\x19" + bytes(16) + b"\x01\x05bob"
REGISTER = b"REGISTER sip:example.com SIP/2.0\r\nVia: x\r\n\r\n"
RINGING = b"SIP/2.0 180 Ringing\r\nVia: x\r\n\r\n"
CLDAP = bytes.fromhex("300c02010163070400040004000400")[:14]
INITIAL = b"\xc3\x00\x00\x00\x01\x08" + bytes(8) + b"\x00\x00\x44\x9e" + bytes(1182)
SYN = b"\xff\xff\xff\xff\x00\x40\x18\x01" + bytes(1224)
SYN_ACK = b"\x00\x00\x00\x01\x00\x40\x18\x05" + bytes(1224)


def udp(port: int = 40001) -> Conversation:
    return Conversation(port, over_udp=True)


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (b"\x23" + bytes(47), True),
        (b"\x1b" + bytes(47), True),
        (b"\x23" + bytes(46), False),
        (b"\x16" + bytes(11), True),  # control
        (b"\x17" + bytes(7), True),  # private
        (b"\x17" + bytes(6), False),
        (b"\x20" + bytes(47), False),  # reserved
        (b"\x03" + bytes(47), False),  # version 0
        (b"\x2b" + bytes(47), False),  # version 5
        (b"", False),
    ],
)
def test_ntp(datagram: bytes, *, expected: bool) -> None:
    assert is_ntp(datagram) is expected
    assert udp(123).client(datagram).services == ("ntp" if expected else "")


@pytest.mark.parametrize("port", [67, 40001])
def test_dhcp(port: int) -> None:
    assert udp(port).client(DHCP + b"\x00\x35\x01\x01\xff").services == "dhcp"
    assert udp(port).client(DHCP + b"\x0c\x02ab\x35\x01\x05\xff").services == "dhcp"


@pytest.mark.parametrize(
    "datagram",
    [
        DHCP,
        DHCP + b"\xff\x35\x01\x01",
        DHCP + b"\x35\x01\x00\xff",
        DHCP + b"\x35",
        DHCP[:-1] + b"\x64\x35\x01\x01\xff",
    ],
)
def test_dhcp_that_is_none(datagram: bytes) -> None:
    assert udp(67).client(datagram).services == ""
    assert udp(67).client(DHCP + b"\x35\x01\x01\xff", datagram).services == ""


def test_snmp() -> None:
    conversation = udp(161).client(GET)
    assert conversation.services == ""
    assert conversation.server(GOT).services == "snmp"


@pytest.mark.parametrize(
    "answer", [GOT.replace(b"\x02\x01\x00\x04", b"\x02\x01\x02\x04"), GOT[:-1], b"\x30\x00", b""]
)
def test_snmp_that_is_none(answer: bytes) -> None:
    assert udp(161).client(GET).server(answer).services == ""


def test_radius() -> None:
    assert udp(1812).client(RADIUS).services == "radius"
    assert udp(1812).client(RADIUS + bytes(4)).services == "radius"


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x63" + RADIUS[1:],
        RADIUS[:-1],
        RADIUS.replace(b"\x01\x05bob", b"\x01\x01bob"),
        RADIUS.replace(b"\x01\x05bob", b"\x01\x06bob"),
        b"",
    ],
)
def test_radius_that_is_none(datagram: bytes) -> None:
    assert udp(1812).client(datagram).services == ""


@pytest.mark.parametrize("port", [5060, 40001])
def test_sip(port: int) -> None:
    conversation = udp(port).client(REGISTER)
    assert conversation.services == ""
    assert conversation.server(RINGING).services == "sip"


@pytest.mark.parametrize("datagram", [bytes(4), b"NOTIFY * HTTP/1.1\r\n\r\n", b"SIP/2.0 ok\r\n"])
def test_sip_that_is_none(datagram: bytes) -> None:
    assert udp(5060).client(REGISTER).server(datagram).services == ""
    assert udp(5060).client(REGISTER).server(RINGING).client(datagram).services == ""


def test_syslog() -> None:
    assert udp(514).client(b"<13>Oct 11 22:14:15 host su: x").services == "syslog"
    assert udp(514).client(b"Oct 11 22:14:15 host su: x").services == ""
    assert udp(514).client(b"<1333>x").services == ""
    assert udp().client(b"<13>Oct 11 22:14:15 host su: x").services == ""


def test_ldap_over_udp() -> None:
    assert udp(389).client(CLDAP).services == "ldap_udp"
    assert udp(389).client(CLDAP[:-1]).services == ""
    answer = CLDAP.replace(b"\x63", b"\x64")
    assert udp().client(CLDAP).services == ""
    assert udp().client(CLDAP).server(answer).services == "ldap_udp"


def test_quic() -> None:
    assert len(INITIAL) == 1200
    assert udp(443).client(INITIAL).services == "quic,ssl"
    assert udp().client(INITIAL).services == "quic,ssl"
    assert udp().server(INITIAL).services == ""


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (INITIAL, True),
        (b"\xd3\x6b\x33\x43\xcf" + INITIAL[5:], True),  # version 2
        (b"\xc3\x6b\x33\x43\xcf" + INITIAL[5:], False),  # its Retry packet
        (b"\xc3\xff\x00\x00\x1d" + INITIAL[5:], True),  # draft 29
        (b"\xc3\x1a\x2a\x3a\x4a" + INITIAL[5:], False),  # to provoke version negotiation
        (b"\xe3" + INITIAL[1:], False),  # a Handshake packet
        (b"\x43" + INITIAL[1:], False),
        (INITIAL[:-1], False),
        (INITIAL[:5] + b"\x15" + INITIAL[6:], False),
    ],
)
def test_initial_packets(datagram: bytes, *, expected: bool) -> None:
    assert is_quic_initial(datagram) is expected


@pytest.mark.parametrize("port", [3389, 40001])
def test_rdp_over_udp(port: int) -> None:
    conversation = udp(port).client(SYN)
    assert conversation.services == ""
    assert conversation.server(SYN_ACK).services == "rdpeudp"


def test_rdp_over_udp_that_is_not_answered() -> None:
    assert udp(3389).client(SYN, SYN).server(SYN).services == ""
    assert udp(3389).server(SYN_ACK).services == ""


@given(
    st.sampled_from(sorted(UDP_READERS)),
    st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=4),
)
def test_anything_is_read_without_error(port: int, datagrams: list[tuple[bool, bytes]]) -> None:
    conversation = udp(port)
    for is_originator, datagram in datagrams:
        conversation.session.deliver(datagram, is_originator=is_originator)

"""What is worth a closer look is more than what signatures are for."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.batches import Counts
from analyzer.parsers.pcap.beginnings import COLUMNS, DATAGRAM_BEGINNINGS, STREAM_BEGINNINGS
from analyzer.parsers.pcap.openings import begins
from analyzer.parsers.pcap.protocols.databases import Ldap
from analyzer.parsers.pcap.protocols.industrial import Mqtt
from analyzer.parsers.pcap.protocols.session import Opening, Signature, Signatures
from analyzer.parsers.pcap.signatures import TCP_SIGNATURES

from .conversations import HELLO


def beginning(data: bytes, beginnings: Counts) -> bool:
    return bool(begins(np.frombuffer(data, np.uint8), 0, len(data), beginnings))


@pytest.mark.parametrize("table", [STREAM_BEGINNINGS, DATAGRAM_BEGINNINGS])
def test_rows_are_whole(table: Counts) -> None:
    rows = table.reshape(-1, COLUMNS)
    assert (rows[:, 0] <= rows[:, 1]).all()
    assert (rows[:, 5] & ~rows[:, 4] == 0).all()
    places = rows[:, 3]
    assert (places + 4 <= np.maximum(rows[:, 2], 4))[rows[:, 4] != 0].all()


def openings(signatures: Signatures) -> list[tuple[Signature, Opening]]:
    found = {}
    for first in range(256):
        for is_originator in (True, False):
            for signature, opening in signatures.beginning_with(first, is_originator=is_originator):
                found[id(opening)] = (signature, opening)
    return list(found.values())


STREAM_OPENINGS = [
    opening
    for signature, opening in openings(TCP_SIGNATURES)
    # Servers do not begin in LDAP; and requests of MQTT are short.
    if opening.first and signature.reader is not Mqtt and opening is not signature.responder
]


@settings(deadline=None)
@given(st.data())
def test_what_signatures_are_for_is_looked_at(data: st.DataObject) -> None:
    opening = data.draw(st.sampled_from(STREAM_OPENINGS))
    pattern = re.compile(rb"\A(?:" + opening.pattern.pattern + rb")", re.DOTALL)
    sent = data.draw(st.from_regex(pattern)).ljust(8, b"x")
    assert sent[0] in opening.first
    assert beginning(sent, STREAM_BEGINNINGS)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n",
        b"\r\nPOST",
        HELLO,
        b"\x15\x03\x01\x00\x02\x01\x00" + HELLO,
        b"SSH-2.0-x\r\n",
        b"220 x\r\n",
        b"+OK\r\n",
        b"\x05\x01\x00",
        b"\x05\x00\x0b\x03\x10\x00\x00\x00",
        b"\x05\x64\x05\xc9\x01\x00\x00\x04",
        b"\x03\x00\x00\x13\x0e\xe0\x00\x00",
        b"\x30\x0c\x02\x01\x01\x60\x07\x02",
        b"\x30\x81\x8c\x02\x01\x01\x60\x81",
        b"\x30\x82\x01\x0c\x02\x01\x01\x60",
        b"\x30\x84\x00\x00\x00\x0c\x02\x01",
        b"\x10\x0c\x00\x04MQTT\x04",
        b"\x10\x81\x01\x00\x06MQIsdp",
        b"\x00\x00\x00\x2f\xffSMBr",
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"\x00\x00\x00\x40\x00\x03\x00\x00user\x00",
        b"\x00\x00\x01\x00\x6c\x81\xfd\x30",
        b"\x00\x00",
    ],
)
def test_streams(sent: bytes) -> None:
    assert beginning(sent, STREAM_BEGINNINGS)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x02\x00\x00\x10\x01\x00\x00",
        b"\x17\x03\x03\x00\x10\x01\x00\x00",
        b"\x05\x20\x0b\x03\x10\x00\x00\x00",
        b"\x03\x01\x00\x13\x0e\xe0\x00\x00",
        b"\x30\x82\x01\x0c\x04\x01\x01\x60",
        b"\x10\x0c\x00\x04MXTT\x04",
        b"\x00\x00\x00\x2f\xffXMBr",
        b"\x00\x00\x01\x00\x61\x81\xfd\x30",
        b"\xff\xfd\x18",
        b"\x80",
        b"S\x8f\x00\x01",
        b"\x13BitTorrent protocol",
    ],
)
def test_streams_that_are_nothing(sent: bytes) -> None:
    assert not beginning(sent, STREAM_BEGINNINGS)


@pytest.mark.parametrize(
    "sent",
    [
        b"\xc3\x00\x00\x00\x01" + bytes(1195),
        b"\xd3\x6b\x33\x43\xcf" + bytes(1195),
        b"\xff\xff\x00\x00\x1d" + bytes(1195),
        b"\xff" * 4 + bytes(1228),
        b"\x16\xfe\xff" + bytes(30),
        b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
        b"\x30\x0c\x02\x01\x01\x63\x07\x02",
        b"\x6a\x81\xfd\x30" + bytes(16),
        b"\x7e\x81\xfd\x30" + bytes(16),
        b"\x60\x00\x00\x00\x00\x00\x3b\x40\x20\x01\x00\x00" + bytes(28),
        b"\x60" + bytes(23) + b"\x20\x01\x00\x00" + bytes(12),
        b"\x44\x52\x11\x29" + bytes(40),
        b"\x01\x01\x06\x00" + bytes(232) + b"\x63\x82\x53\x63\x35\x01\x01\xff",
        b"INVITE sip:a@b SIP/2.0\r\n",
        b"REGISTER sip:b SIP/2.0\r\n",
        b"SIP/2.0 200 OK\r\n",
    ],
)
def test_datagrams(sent: bytes) -> None:
    assert beginning(sent, DATAGRAM_BEGINNINGS)


@pytest.mark.parametrize(
    "sent",
    [
        b"\xc3\x00\x00\x00\x01" + bytes(1194),
        b"\xc3\x00\x00\x00\x00" + bytes(1195),
        b"\x16\xfd\xff" + bytes(30),
        b"\x30\x0c\x04\x01\x01\x63\x07\x02",
        b"\x00\x01\x00\x00\x21\x12\xa4\x43" + bytes(12),
        b"\x01\x01\x06\x00" + bytes(240),
        b"M-SEARCH * HTTP/1.1\r\n",
        b"hello",
        b"\x00",
    ],
)
def test_datagrams_that_are_nothing(sent: bytes) -> None:
    assert not beginning(sent, DATAGRAM_BEGINNINGS)


def test_ldap_is_begun_by_clients() -> None:
    (signature,) = {
        signature.reader: signature
        for signature, _ in openings(TCP_SIGNATURES)
        if signature.reader is Ldap
    }.values()
    assert signature.needs_both


@given(
    st.binary(min_size=1, max_size=40), st.sampled_from([STREAM_BEGINNINGS, DATAGRAM_BEGINNINGS])
)
def test_bytes_beyond_the_end_do_not_matter(data: bytes, table: Counts) -> None:
    longer = np.frombuffer(data + b"\xff" * 8, np.uint8)
    shorter = np.frombuffer(data, np.uint8)
    assert begins(longer, 0, len(data), table) == begins(shorter, 0, len(data), table)

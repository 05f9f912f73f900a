from __future__ import annotations

import ipaddress
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX, DNSRRSOA, DNSRRSRV

from analyzer.parsers.pcap.dns_answers import NAME_ALONE, answer_texts
from analyzer.parsers.pcap.dns_messages import ANSWER, ON_NETBIOS, TO_NETBIOS, find_answers
from analyzer.parsers.pcap.dns_text import NAME_ROOM
from tests.test_parsers.test_pcap.dns_talk import (
    address,
    messages,
    name,
    record,
    response,
)


def texts(*contents: bytes, netbios: int = 0) -> list[bytes]:
    """What is said of the answers of messages."""
    batch = messages(*contents, netbios=netbios)
    answers = find_answers(batch)
    content, ends = answer_texts(batch, answers)
    starts = np.append(0, ends)[: len(ends)]
    return [
        content[start:end].tobytes()
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (1, b"\xc0\0\2\1", b"192.0.2.1"),
        (1, b"\0\xff\x0a\x63", b"0.255.10.99"),
        (28, ipaddress.ip_address("2001:db8::1").packed, b"2001:db8::1"),
        (28, ipaddress.ip_address("::ffff:192.0.2.1").packed, b"192.0.2.1"),
        (38, ipaddress.ip_address("fe80::").packed, b"fe80::"),
        (2, b"\2NS\xc0\x0c", b"ns.example.com"),
        (5, name("Alias.example.org"), b"alias.example.org"),
        (12, name("host"), b"host"),
        (6, name("a.ns") + name("admin") + bytes(20), b"a.ns"),
        (15, b"\0\x0a" + name("mail"), b"mail"),
        (33, b"\0\1\0\2\0\x50" + name("server"), b"server"),
        (16, b"\5hello", b"TXT 5 hello"),
        (16, b"\1a\0\2b c", b"TXT 1 a TXT 0  TXT 2 b "),
        (16, b"\3a,\xff", b"TXT 3 a,\xff"),
        (99, b"\7v=spf1 ", b"SPF 7 v=spf1 "),
        (46, struct.pack(">HBBIIIH", 28, 8, 2, 1, 2, 3, 4) + name("Signer") + b"sig",
         b"RRSIG 28 signer"),
        (46, struct.pack(">HBBIIIH", 1, 8, 2, 1, 2, 3, 4) + b"\0sig", b"RRSIG 1 <Root>"),
        (48, b"\1\1\3\x0dkey", b"DNSKEY 13"),
        (43, b"\0\1\x08\2hash", b"DS 8 2"),
        (47, name("Next") + b"\0\1\x40", b"NSEC example.com next"),
        (47, b"\0\0\1\x40", b"NSEC example.com "),
        (50, b"\1\0\0\1\0\0\0\1\x40", b"NSEC3"),
        (51, b"\1\0\0\1\0", b"NSEC3PARAM"),
        (65534, b"\x08\0\1\0\1", b"BIND9 signing signal"),
        (29, b"\0\x12\x16\x13" + bytes(12), b"LOC:  18 22 19"),
        (44, b"\1\2\x0f\xa0\x99", b"SSHFP: 0fa099"),
        (35, b"\0\x64\0\5\1S\7SIPS+D2\0" + name("_Sip.Host"),
         b"NAPTR 100 5 S SIPS+D2 _Sip.Host"),
        (39, name("dname"), b"<unknown type=39>"),
        (65535, b"?", b"<unknown type=65535>"),
        # Names of the root, and services that nobody knows of, say nothing.
        (2, b"\0", b""),
        (11, b"\1\2\3\4\6\0", b""),
    ],
)  # fmt: skip
def test_answers(kind: int, data: bytes, text: bytes) -> None:
    assert texts(response(1, record(kind, data))) == [text]


def test_every_type_has_its_say_in_order() -> None:
    contents = response(1, address(), record(2, name("ns")), record(16, b"\1x")), response(2)
    assert texts(*contents, contents[0]) == [b"192.0.2.1", b"ns", b"TXT 1 x"] * 2


def test_numbers_that_are_cut_off_are_zero() -> None:
    content = response(1, record(28, b"\x20\1\x0d\xb8\0\1"))
    assert texts(content) == [b"2001:db8::"]


def test_a_broken_text_is_said_as_far_as_it_goes() -> None:
    assert texts(response(1, record(16, b"\1a\x09b"))) == [b"TXT 1 a"]
    assert texts(response(1, record(16, b"\x09b"))) == [b""]


def test_scapy_agrees() -> None:
    records = [
        (DNSRR(rrname="h.example", type="A", rdata="198.51.100.7"), b"198.51.100.7"),
        (DNSRR(rrname="h.example", type="AAAA", rdata="2001:db8:0:1::"), b"2001:db8:0:1::"),
        (DNSRR(rrname="h.example", type="CNAME", rdata="Other.example"), b"other.example"),
        (DNSRR(rrname="h.example", type="TXT", rdata=[b"one", b"two"]), b"TXT 3 one TXT 3 two"),
        (DNSRRMX(rrname="h.example", preference=5, exchange="mx.example"), b"mx.example"),
        (DNSRRSRV(rrname="h.example", target="srv.example", port=80), b"srv.example"),
        (DNSRRSOA(rrname="h.example", mname="m.example", rname="r.example"), b"m.example"),
    ]
    dns = DNS(id=1, qr=1, qd=[DNSQR(qname="h.example")], an=[record for record, _ in records])
    assert texts(bytes(dns)) == [text for _, text in records]


def test_names_alone() -> None:
    content = response(1, record(5, name("Other.Example")))
    batch = messages(content, netbios=ON_NETBIOS | TO_NETBIOS)
    wanted = np.zeros(2, ANSWER)
    wanted["part"] = NAME_ALONE
    wanted["data"] = [batch.starts[0] + 12, batch.ends[0] - len(name("Other.Example"))]
    content_of, ends = answer_texts(batch, wanted)
    assert content_of.tobytes() == b"example.comother.example"
    assert ends.tolist() == [11, 24]


def test_long_answers_have_room() -> None:
    long = b"\x3f" + b"l" * 63
    owner = 7 * long + b"\0"
    many = response(1, *[record(47, b"\xc0\x0c\0\1\x40")] * 300, of=".".join(["l" * 63] * 7))
    assert texts(many) == [b"NSEC " + b" ".join([b".".join([b"l" * 63] * 7)] * 2)] * 300
    assert len(owner) == 449


def test_strings_have_room() -> None:
    (text,) = texts(response(1, record(16, bytes(60000))))
    assert text == b" ".join([b"TXT 0 "] * 60000)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 6, 15, 16, 28, 29, 33, 35, 43, 44, 46, 47, 48, 50, 51, 65534]),
            st.binary(max_size=60),
        ),
        max_size=5,
    ),
    st.sampled_from([0, ON_NETBIOS, ON_NETBIOS | TO_NETBIOS]),
)
def test_any_data(records: list[tuple[int, bytes]], netbios: int) -> None:
    content = response(1, *[record(kind, data) for kind, data in records])
    for text in texts(content, netbios=netbios):
        assert len(text) < 3 * NAME_ROOM + 10 * 60

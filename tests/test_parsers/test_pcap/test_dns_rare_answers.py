from __future__ import annotations

import pytest

from tests.test_parsers.test_pcap.dns_talk import message, name, question, record
from tests.test_parsers.test_pcap.test_dns_answers import texts

NONE, ANY, EVERY = 254, 255, 255


def update(*records: bytes, prerequisites: int = 0) -> bytes:
    """A response to a dynamic update that repeats it."""
    counts = (1, prerequisites, len(records) - prerequisites, 0)
    return message(1, question(name("zone"), 6), *records, flags=0xA800, counts=counts)


@pytest.mark.parametrize(
    ("kind", "family", "data", "text"),
    [
        (EVERY, NONE, b"", b"pre: NameNotInUse zone"),
        (EVERY, ANY, b"", b"pre: NameInUse zone"),
        (28, NONE, b"", b"pre: NoRRSet AAAA zone"),
        (1, ANY, b"", b"pre: RRSetExists A zone"),
        (1000, ANY, b"", b"pre: RRSetExists query-1000 zone"),
    ],
)
def test_prerequisites(kind: int, family: int, data: bytes, text: bytes) -> None:
    asked = record(kind, data, family=family, lifetime=0)
    assert texts(update(asked, prerequisites=1)) == [text]


@pytest.mark.parametrize(
    ("kind", "family", "lifetime", "data", "text"),
    [
        (1, 1, 60, b"\xc0\0\2\1", b"add: A zone 192.0.2.1"),
        (28, 1, 60, b"\x20\1" + bytes(14), b"add: AAAA zone 2001::"),
        (38, 1, 60, b"\x20\1" + bytes(14), b"add: A6 zone 2001::"),
        (5, 1, 60, b"\4Name\0", b"add: name"),
        (16, 1, 60, b"\1x", b"add: TXT 1 x"),
        (44, 1, 60, b"\1\1\xab", b"add: SSHFP: ab"),
        (1, NONE, 0, b"\xc0\0\2\1", b"add: A zone 192.0.2.1"),
        (EVERY, ANY, 0, b"", b"del: RRSet * zone"),
        (1, ANY, 0, b"", b"del: RRSet A"),
        # What begins like a deletion is taken for one, and what says nothing stays silent.
        (5, 1, 60, b"\5del:x\0", b"del:x"),
        (5, 1, 60, b"\0", b""),
        (11, 1, 60, b"\1\2\3\4", b""),
    ],
)
def test_updates(kind: int, family: int, lifetime: int, data: bytes, text: bytes) -> None:
    assert texts(update(record(kind, data, family=family, lifetime=lifetime))) == [text]


@pytest.mark.parametrize(
    ("flags", "service", "expression", "replacement", "text"),
    [
        (b"u", b"E2U+sip", b"!^.*$!sip:x!", b"", b"NAPTR 1 2 u E2U+sip !^.*$!sip:x!"),
        (b"", b"", b"", b"\1A\0", b"NAPTR 1 2   A"),
        (b"s", b"S", b"e", b"\1A\0", b"NAPTR 1 2 s S e A"),
        (b"s", b"S", b"", b"\0", b"NAPTR 1 2 s S "),
    ],
)
def test_naptr(
    flags: bytes, service: bytes, expression: bytes, replacement: bytes, text: bytes
) -> None:
    strings = b"".join(bytes([len(part)]) + part for part in (flags, service, expression))
    data = b"\0\1\0\2" + strings + (replacement or b"\0")
    content = message(
        1, question(name("zone")), record(35, data), flags=0x8000, counts=(1, 1, 0, 0)
    )
    assert texts(content) == [text]


def test_rare_answers_stand_between_others() -> None:
    ordinary = record(5, b"\1x\0")
    content = message(
        1,
        question(name("zone")),
        ordinary,
        record(44, b"\1\1\xff"),
        ordinary,
        record(44, b"\1\1\x01\x02"),
        ordinary,
        flags=0x8000,
        counts=(1, 5, 0, 0),
    )
    assert texts(content, content) == [b"x", b"SSHFP: ff", b"x", b"SSHFP: 0102", b"x"] * 2

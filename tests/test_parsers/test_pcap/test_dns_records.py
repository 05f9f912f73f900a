from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.pcap.dns_records import (
    NODE_STATUS_FORM,
    STOP,
    STOP_AFTER,
    UNKNOWN_FORM,
    VIOLATION,
    end_of_record,
    form_of,
    record_forms,
)

A, NS, CNAME, SOA, WKS, PTR, HINFO, MX, TXT, AAAA, LOC, NB, SRV, NAPTR = (
    1, 2, 5, 6, 11, 12, 13, 15, 16, 28, 29, 32, 33, 35,
)  # fmt: skip
A6, OPT, DS, SSHFP, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, SVCB, HTTPS, SPF, TKEY, TSIG, CAA = (
    38, 41, 43, 44, 46, 47, 48, 50, 51, 64, 65, 99, 249, 250, 257,
)  # fmt: skip
SIGNING = 65534


def end(kind: int, data: bytes, length: int | None = None, *, netbios: bool = False) -> int:
    """How far into its data a record ends, the data being the last of its message."""
    content = np.frombuffer(b"\xaa" + data + b"\xbb\xbb\xbb\xbb", np.uint8).copy()
    forms = record_forms()
    form = form_of(forms, kind, netbios)
    size = len(data) if length is None else length
    found = end_of_record(content, forms, form, 1, size, 1 + len(data), netbios)
    return found if found < 0 else found - 1


@pytest.mark.parametrize("kind", [HINFO, NB, TKEY, CAA, 39, 52, 65535])
def test_some_types_end_where_they_say(kind: int) -> None:
    assert end(kind, b"abcdefgh", 5) == 5


@pytest.mark.parametrize(
    ("kind", "data", "length", "expected"),
    [
        (A, b"\1\2\3\4rest", 4, 4),
        (A, b"\1\2\3\4rest", 5, STOP),
        # An IPv6 address is as long as it is, whatever the record says.
        (AAAA, b"x" * 20, 4, 16),
        (A6, b"x" * 20, 20, 16),
        (AAAA, b"x" * 11, 11, 8),
        (NS, b"\1a\0rest", 3, 3),
        (CNAME, b"\1a\0rest", 6, 3),
        (PTR, b"\xc0\x0crest", 6, 2),
        (MX, b"\0\1\1a\0rest", 5, 5),
        (SRV, b"\0\1\0\2\0\3\1a\0rest", 9, 9),
        (SRV, b"\0\1\0", 3, 3),
        (SOA, b"\1a\0\1b\0" + b"n" * 20 + b"rest", 26, 26),
        (SOA, b"\1a\0\1b\0" + b"n" * 19, 25, STOP),
        # WKS is not read at all.
        (WKS, b"\1\2\3\4\6\0", 6, 0),
        (TXT, b"\1a\2bcrest", 5, 5),
        (TXT, b"\1a\5bcrest", 5, STOP_AFTER),
        (TXT, b"\1a\1b\1", 5, 5),
        (SPF, b"\0\0", 2, 2),
        (LOC, b"x" * 20, 16, 16),
        (LOC, b"x" * 15, 15, 12),
        (LOC, b"x" * 14, 14, STOP),
        (NAPTR, b"\0\1\0\2\1s\1t\1u\1a\0rest", 13, 13),
        (NAPTR, b"\0\1\0\2\1s\1t\0\0", 10, 10),
        (NAPTR, b"\0\1\0\2\1s\1t\5u\1a\0", 13, VIOLATION),
        (NAPTR, b"\0\1\0\2\1s\1t", 8, VIOLATION),
        (NAPTR, b"\0\1\0\2", 4, VIOLATION),
        (DS, b"\0\1\5\2hash", 8, 8),
        (DS, b"\0\1\5", 3, STOP),
        (DNSKEY, b"\1\0\3\x08key", 7, 7),
        (SSHFP, b"\1\1hash", 6, 6),
        (SSHFP, b"\1", 1, STOP),
        (RRSIG, b"x" * 18 + b"\1a\0signature", 25, 25),
        (RRSIG, b"x" * 18 + b"\1a\0signature", 18, 21),
        (RRSIG, b"x" * 17, 17, STOP),
        (NSEC, b"\1a\0\0\1\x40rest", 6, 6),
        # A bitmap of length 0 ends the record.
        (NSEC, b"\1a\0\0\0\0\1\x40rest", 8, 5),
        (NSEC, b"\1a\0\0\x09\x40", 6, 6),
        (NSEC3, b"\1\0\0\1\2ss\2hh\0\1\x40rest", 13, 13),
        (NSEC3, b"\1\0\0\1\x09", 5, STOP),
        (NSEC3PARAM, b"\1\0\0\1\2ssrest", 7, 7),
        (NSEC3PARAM, b"\1\0\0\1", 4, STOP),
        (SVCB, b"\0\1\1a\0\0\3\0\2\1\xbbrest", 11, 11),
        # A parameter ends with its record, and fewer than four bytes are none.
        (HTTPS, b"\0\1\0\0\3\0\x09\1\xbbrest", 9, 9),
        (HTTPS, b"\0\1\0xyzrest", 6, 3),
        (HTTPS, b"\0\1", 2, STOP),
        (OPT, b"\0\x0a\0\2xx\0\x0b\0\0", 0, 10),
        (OPT, b"\0\x0a\0\2xxx", 7, STOP),
        (OPT, b"", 0, 0),
        (TSIG, b"\1a\0" + b"t" * 8 + b"\0\2mm" + b"i" * 4 + b"\0\1orest", 22, 22),
        (TSIG, b"\1a\0" + b"t" * 8 + b"\0\x99mm", 15, 15),
        (SIGNING, b"\x08\0\1\0\1rest", 9, 5),
        (SIGNING, b"\x08\0\1\0", 4, STOP),
    ],
)
def test_ends(kind: int, data: bytes, length: int, expected: int) -> None:
    assert end(kind, data, length) == expected


def test_netbios_has_node_status_where_others_have_services() -> None:
    forms = record_forms()
    assert form_of(forms, SRV, True) == NODE_STATUS_FORM
    assert form_of(forms, SRV, False) not in (NODE_STATUS_FORM, UNKNOWN_FORM)
    assert end(SRV, b"\0\1\0\2\0\3\1a\0rest", 9, netbios=True) == 0


@given(
    kind=st.one_of(st.integers(0, 300), st.just(SIGNING)),
    data=st.binary(max_size=200),
    length=st.integers(0, 200),
    netbios=st.booleans(),
)
def test_any_bytes_end_inside_the_message(
    *, kind: int, data: bytes, length: int, netbios: bool
) -> None:
    found = end(kind, data, min(length, len(data)), netbios=netbios)
    assert found in (STOP, STOP_AFTER, VIOLATION) or 0 <= found <= len(data)

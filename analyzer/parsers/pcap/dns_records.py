"""Resource records of DNS messages: how they are read, and what dns.log says of them.

Zeek does not trust RDLENGTH alone: each type is read as its format says, and the next record begins
where that reading ended. So a record whose length is a lie, or whose type Zeek leaves unread (WKS,
the node status of NetBIOS), moves all that follow; the same happens here.

Sources: Zeek 8.2's ``src/analyzer/protocol/dns/DNS.cc`` (``ParseRR_*``) for what is read, and
``base/protocols/dns/main.zeek`` for what is logged, which types without a handler there are not
(HINFO, CAA, SVCB, TKEY and others).
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.compiled import compiled
from analyzer.parsers.pcap.dns_text import skip_name

Records: TypeAlias = npt.NDArray[np.void]
"""Structured arrays: here of forms, elsewhere of what they are said to be of."""

STOP, STOP_AFTER, VIOLATION = -1, -2, -3
"""What :func:`end_of_record` says instead of a position: the record is broken; it is, but Zeek logs
it first; it is so broken that Zeek gives up on the connection (``AnalyzerViolation``)."""

(
    END,
    LIMIT,
    ADDRESS,
    SOA_NUMBERS,
    STRINGS,
    EXPRESSION,
    PARAMETERS,
    OPTIONS,
    SIGNATURE,
    SALT,
    HASHES,
    BITMAPS,
) = range(12)
"""What comes after the numbers and names at the beginning of a record.

END: nothing; where they end, the record ends.
LIMIT: anything, as far as RDLENGTH goes.
ADDRESS: an IPv4 address and nothing else.
SOA_NUMBERS: five numbers of four bytes (RFC 1035 section 3.3.13).
STRINGS: character strings (RFC 1035 section 3.3).
EXPRESSION: three character strings and a name (NAPTR, RFC 3403 section 4.1).
PARAMETERS: numbers, each with a length and so many bytes (SVCB, RFC 9460 section 2.2).
OPTIONS: the same, to the end of the message (RFC 6891 section 6.1.2).
SIGNATURE: time, fudge, MAC, identity, error, other data (TSIG, RFC 8945 section 4.2).
SALT: bytes after their length (NSEC3PARAM, RFC 5155 section 4.2).
HASHES: the same twice, and then bitmaps (NSEC3, RFC 5155 section 3.2).
BITMAPS: bitmaps of types (NSEC, RFC 4034 section 4.1.2).
"""

SILENT, WORDS, IPV4, IPV6, NAME, HEXADECIMAL, TEXTS, RULE = range(8)
"""What dns.log says of a record after its word and its numbers.

SILENT: nothing at all; it is no answer.
WORDS: nothing more.
IPV4, IPV6: an address.
NAME: a name.
HEXADECIMAL: the bytes after the numbers.
TEXTS: its character strings, each with the word and its length.
RULE: three character strings and a name.
"""

FORM = np.dtype(
    [
        ("least", "i8"),  # bytes there have to be, up to the end of the message
        ("unit", "i8"),  # bytes of each of the numbers that it begins with
        ("numbers", "i8"),  # how many of those there are
        ("names", "i8"),  # how many names follow
        ("tail", "i8"),  # what follows these
        ("logged", "i8"),  # what dns.log says
        ("word", "i8"),  # the word it begins with, -1 for none
        ("owner", "i8"),  # whether the name of the record comes after that
        ("first", "i8"),  # where in its data the numbers are that it says next
        ("said", "i8"),  # how many of them it says
        ("size", "i8"),  # how many bytes each of them has
    ],
    align=True,
)
"""How a type of record is read and logged."""

_SILENT = (SILENT, "", 0, 0, 0, 0)
_NAME = (NAME, "", 0, 0, 0, 0)

# By type number (Zeek src/analyzer/protocol/dns/DNS.h, RR_Type), in the order of FORM.
_FORMS = {
    1: (0, 1, 0, 0, ADDRESS, IPV4, "", 0, 0, 0, 0),  # A
    2: (0, 1, 0, 1, END, *_NAME),  # NS
    5: (0, 1, 0, 1, END, *_NAME),  # CNAME
    6: (0, 1, 0, 2, SOA_NUMBERS, *_NAME),  # SOA
    11: (0, 1, 0, 0, END, WORDS, "", 0, 0, 0, 0),  # WKS
    12: (0, 1, 0, 1, END, *_NAME),  # PTR
    13: (0, 1, 0, 0, LIMIT, *_SILENT),  # HINFO
    15: (0, 2, 1, 1, END, *_NAME),  # MX
    16: (0, 1, 0, 0, STRINGS, TEXTS, "TXT ", 0, 0, 0, 0),  # TXT
    28: (0, 4, 4, 0, END, IPV6, "", 0, 0, 0, 0),  # AAAA
    29: (15, 4, 4, 0, END, WORDS, "LOC:  ", 0, 1, 3, 1),  # LOC
    32: (0, 1, 0, 0, LIMIT, *_SILENT),  # NetBIOS name
    33: (0, 2, 3, 1, END, *_NAME),  # SRV
    35: (0, 1, 0, 0, EXPRESSION, RULE, "NAPTR ", 0, 0, 2, 2),  # NAPTR
    38: (0, 4, 4, 0, END, IPV6, "", 0, 0, 0, 0),  # A6
    41: (0, 1, 0, 0, OPTIONS, *_SILENT),  # OPT
    43: (4, 4, 1, 0, LIMIT, WORDS, "DS ", 0, 2, 2, 1),  # DS
    44: (2, 2, 1, 0, LIMIT, HEXADECIMAL, "SSHFP: ", 0, 0, 0, 0),  # SSHFP
    46: (18, 18, 1, 1, LIMIT, NAME, "RRSIG ", 0, 0, 1, 2),  # RRSIG
    47: (0, 1, 0, 1, BITMAPS, NAME, "NSEC ", 1, 0, 0, 0),  # NSEC
    48: (4, 4, 1, 0, LIMIT, WORDS, "DNSKEY ", 0, 3, 1, 1),  # DNSKEY
    50: (6, 4, 1, 0, HASHES, WORDS, "NSEC3", 0, 0, 0, 0),  # NSEC3
    51: (5, 4, 1, 0, SALT, WORDS, "NSEC3PARAM", 0, 0, 0, 0),  # NSEC3PARAM
    64: (3, 2, 1, 1, PARAMETERS, *_SILENT),  # SVCB
    65: (3, 2, 1, 1, PARAMETERS, *_SILENT),  # HTTPS
    99: (0, 1, 0, 0, STRINGS, TEXTS, "SPF ", 0, 0, 0, 0),  # SPF
    249: (0, 1, 0, 0, LIMIT, *_SILENT),  # TKEY
    250: (0, 1, 0, 1, SIGNATURE, *_SILENT),  # TSIG
    257: (0, 1, 0, 0, LIMIT, *_SILENT),  # CAA
    65534: (5, 5, 1, 0, END, WORDS, "BIND9 signing signal", 0, 0, 0, 0),
}
_UNKNOWN = (0, 1, 0, 0, LIMIT, WORDS, "<unknown type=", 0, 0, 0, 0)
_NODE_STATUS = (0, 1, 0, 0, END, *_SILENT)
_EVERY_FORM = (_UNKNOWN, _NODE_STATUS, *_FORMS.values())
_WORD = 6  # its place

FORM_WORDS = tuple(
    dict.fromkeys(
        ("", "<unknown type=", "RRSIG ", "<Root>", *(str(form[_WORD]) for form in _EVERY_FORM))
    )
)
"""The words that records begin with; after RRSIG's what it says instead of an empty name."""

UNKNOWN_FORM, NODE_STATUS_FORM = 0, 1
UNKNOWN_WORD, RRSIG_WORD = 1, 2
NODE_STATUS_TYPE = 33
"""What NetBIOS has where others have SRV (RFC 1002 section 4.2.18)."""

_SOA_SIZE = 20
_NAPTR_STRINGS, _EVERY = 3, 1 << 16


class Forms(NamedTuple):
    """How records of each type are read and logged.

    Attributes:
        forms: the forms, :data:`FORM`.
        of_type: number of the form of each of the 65,536 types.
    """

    forms: Records
    of_type: Bytes


@cache
def record_forms() -> Forms:
    """The forms of all types."""
    of_type = np.full(1 << 16, UNKNOWN_FORM, np.uint8)
    of_type[list(_FORMS)] = np.arange(2, 2 + len(_FORMS))
    forms = np.array(
        [
            (*form[:_WORD], FORM_WORDS.index(str(form[_WORD])), *form[_WORD + 1 :])
            for form in _EVERY_FORM
        ],
        FORM,
    )
    return Forms(forms, of_type)


@compiled
def form_of(forms: Forms, kind: int, netbios: bool) -> int:
    """Number of the form of a type; a NetBIOS name service has one of its own."""
    if kind == NODE_STATUS_TYPE and netbios:
        return NODE_STATUS_FORM
    return int(np.int64(forms.of_type[kind]))


@compiled
def end_of_record(
    data: Bytes, forms: Forms, which: int, position: int, length: int, end: int, netbios: bool
) -> int:
    """Where the data of a record ends for Zeek, or why the message ends with it.

    Numbers that do not fit into the message are not there, and what is longer than the message ends
    with it.

    Args:
        data: the bytes that hold the message.
        forms: how records are read.
        which: number of the form of this one.
        position: where its data begins.
        length: RDLENGTH; the data fits into the message.
        end: where the message ends, inside `data`.
        netbios: a NetBIOS name service is asked.
    """
    form = forms.forms[which]
    tail = form.tail
    left = end - position
    limit = position + length
    if left < form.least:
        return STOP
    position += min(form.numbers, left // form.unit) * form.unit
    for _ in range(form.names):
        position = skip_name(data, position, end, netbios)
    if tail == END:
        return position
    if tail == LIMIT:
        return max(position, limit)
    if tail == ADDRESS:
        return limit if length == 4 else STOP
    if tail == SOA_NUMBERS:
        return position + _SOA_SIZE if end - position >= _SOA_SIZE else STOP

    if tail == STRINGS or tail == EXPRESSION:
        strings = _EVERY
        broken = False
        if tail == EXPRESSION:
            strings = _NAPTR_STRINGS
            position += 4
            if position >= limit:
                return VIOLATION
        for _ in range(strings):
            if position >= limit:
                broken = True
                break
            size = int(np.int64(data[position]))
            position += 1
            if size <= limit - position:
                position += size
            else:
                broken = True
                if tail == STRINGS:
                    break
        if tail == STRINGS:
            return limit if position == limit else STOP_AFTER
        return VIOLATION if broken else skip_name(data, position, end, netbios)

    if tail == PARAMETERS or tail == OPTIONS:
        if tail == OPTIONS:
            limit = end
        while limit - position >= 4:
            size = (int(np.int64(data[position + 2])) << 8) | int(np.int64(data[position + 3]))
            position += 4
            if size > limit - position:
                if tail == OPTIONS:
                    break
                size = limit - position
            position += size
        return STOP if tail == OPTIONS and position < end else position

    if tail == SIGNATURE:
        for part in range(7):
            size = 4 if part == 0 else 2
            content = 0
            if end - position >= size:
                content = (int(np.int64(data[position])) << 8) | int(np.int64(data[position + 1]))
                position += size
            if part == 3 or part == 6:
                position = min(position + content, end)
        return position

    if tail == SALT or tail == HASHES:
        for _ in range(1 if tail == SALT else 2):
            if position < end:
                position = min(position + 1 + int(np.int64(data[position])), end)
    if tail != SALT:
        while position < limit and end - position >= 2:
            size = int(np.int64(data[position + 1]))
            position = min(position + 2 + size, end)
            if size == 0:
                break
    return position

"""Names, numbers and addresses of DNS messages as text, written into byte buffers.

Every function that writes takes the buffer and where to write, and returns where it ended. The
caller sees to it that there is room: :data:`NAME_ROOM` bytes for a name, 46 for an address
(``INET6_ADDRSTRLEN``), 20 for a number.

Sources: RFC 1035 section 4.1.4 (names), and how Zeek reads them in ``src/analyzer/protocol/dns/
DNS.cc`` (``ExtractName``, ``ExtractLabel``), broken ones included: a name ends where it breaks, and
what was read of it counts.
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Bytes, Counts
from analyzer.parsers.pcap.compiled import compiled

NAME_ROOM = 512
"""Most bytes of text of one name, each label with its dot: the buffers in ``DNS.cc``."""

CHAIN_LIMIT = 20
"""Most pointers followed in one name: ``dns_max_compression_chain_depth`` of later Zeeks. Zeek 8.2
has no limit, so that its work can grow with the square of a message's length."""

_POINTER = 0xC0
_LONGEST_LABEL = 63


@compiled
def skip_name(data: Bytes, position: int, end: int, long_labels: bool) -> int:
    """Where a name ends that begins at `position`, not past `end`.

    Args:
        data: the bytes that hold the message.
        position: where the name begins.
        end: where the message ends, inside `data`.
        long_labels: labels may be longer than 63 bytes, as NetBIOS has them.
    """
    room = NAME_ROOM
    while position < end:
        label = int(np.int64(data[position]))
        position += 1
        if position >= end or label == 0:
            break
        if label & _POINTER == _POINTER:
            position += 1
            break
        if label > end - position:
            position = end
            break
        if (label > _LONGEST_LABEL and not long_labels) or label >= room:
            break
        position += label
        room -= label + 1
    return position


@compiled
def write_name(
    data: Bytes,
    message: int,
    position: int,
    end: int,
    long_labels: bool,
    keep_case: bool,
    out: Bytes,
    at: int,
    levels: Counts,
) -> int:
    """Write a name without its last dot, in lower case.

    Args:
        data: the bytes that hold the message.
        message: where the message begins, which pointers count from.
        position: where the name begins.
        end: where the message ends, inside `data`.
        long_labels: labels may be longer than 63 bytes, as NetBIOS has them.
        keep_case: leave the case of labels before the first pointer as it is.
        out: where to write; it needs room for :data:`NAME_ROOM` bytes from `at` on.
        at: where in it.
        levels: room for :data:`CHAIN_LIMIT` + 1 numbers, for our own use.
    """
    start = at
    depth = 0
    levels[0] = at
    while position < end:
        first = position
        label = int(np.int64(data[position]))
        position += 1
        if position >= end or label == 0:
            break
        if label & _POINTER == _POINTER:
            target = message + ((label & ~_POINTER) << 8) + int(np.int64(data[position]))
            # Pointers only go back, and what they point to may only reach up to them.
            if target >= first or depth == CHAIN_LIMIT:
                break
            depth += 1
            levels[depth] = at
            position = target
            end = first
            continue
        if label > end - position:
            break
        if (label > _LONGEST_LABEL and not long_labels) or label >= NAME_ROOM - (at - start):
            break
        for index in range(position, position + label):
            byte = int(np.int64(data[index]))
            if 65 <= byte <= 90 and (depth > 0 or not keep_case):  # A to Z
                byte += 32
            out[at] = byte
            at += 1
        out[at] = 46
        at += 1
        position += label
    while depth >= 0:
        # Every part that a pointer led to loses a dot of its own.
        if at - levels[depth] >= 2 and out[at - 1] == 46:  # more than a dot
            at -= 1
        depth -= 1
    return at


@compiled
def write_number(out: Bytes, at: int, number: int) -> int:
    """Write a number that is not negative, in decimal."""
    digits = 1
    rest = number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for index in range(at + digits - 1, at - 1, -1):
        out[index] = 48 + number % 10
        number //= 10
    return at + digits


@compiled
def write_bytes(data: Bytes, start: int, end: int, out: Bytes, at: int) -> int:
    """Write bytes as they are."""
    for index in range(start, end):
        out[at] = data[index]
        at += 1
    return at


@compiled
def write_ipv6(address: Bytes, out: Bytes, at: int) -> int:
    """Write the 16 bytes of an IPv6 address, the longest run of zero groups as ``::``.

    As Zeek does (``IPAddr::AsString``) with glibc's ``inet_ntop``: an IPv4-mapped address is
    written as IPv4, and an IPv4-compatible one with dots at its end.
    """
    groups = address.size // 2
    zeros, length, run = -1, 1, 0
    for group in range(groups):
        run += 1
        if address[2 * group] != 0 or address[2 * group + 1] != 0:
            run = 0
        if run > length:
            zeros, length = group - run + 1, run
    mapped = zeros == 0 and length == 5 and address[10] == 255 and address[11] == 255
    dotted = mapped or (zeros == 0 and length == 6)
    group = 6 if mapped else 0
    while group < groups:
        if group == zeros:
            out[at] = 58
            at += 1
            group += length
            if group < groups:
                continue
            out[at] = 58
            at += 1
            break
        if group > 0 and not mapped:
            out[at] = 58
            at += 1
        if dotted and group == 6:
            for index in range(12, address.size):
                if index > 12:
                    out[at] = 46
                    at += 1
                at = write_number(out, at, int(np.int64(address[index])))
            break
        value = (int(np.int64(address[2 * group])) << 8) | int(np.int64(address[2 * group + 1]))
        shift = 12
        while shift > 0 and value >> shift == 0:
            shift -= 4
        while shift >= 0:
            digit = (value >> shift) & 15
            out[at] = 48 + digit if digit < 10 else 87 + digit
            at += 1
            shift -= 4
        group += 1
    return at

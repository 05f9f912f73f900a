"""What captures start with: told without loading what reads them."""

from __future__ import annotations

import struct

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
"""Magic numbers of classic pcap files, by the unit of their times."""

PATCHED = 0xA1B2CD34
"""Alexey Kuznetzov's patched libpcap, of old Linux distributions: 8 more bytes a record."""

CLASSIC = {
    struct.pack(order + "I", magic): (order, magic)
    for magic in (MICROSECONDS, NANOSECONDS, PATCHED)
    for order in "<>"
}
"""First four bytes of a classic pcap file -> byte order, as in :mod:`struct`, and magic number."""

BYTE_ORDERS = {struct.pack(order + "I", 0x1A2B3C4D): order for order in "<>"}
"""Byte-order magic of a pcapng section -> byte order."""


def is_classic(head: bytes) -> bool:
    """Whether a file that starts with `head` is a classic pcap file."""
    return head[:4] in CLASSIC


def is_pcapng(head: bytes) -> bool:
    """Whether a file that starts with `head` is a pcapng file.

    A text file too could start with its first four bytes, two empty lines, but not go on so.
    """
    return head[:4] == b"\n\r\r\n" and head[8:12] in BYTE_ORDERS


def is_capture(head: bytes) -> bool:
    """Whether the plain bytes of a file that start with `head` are a capture: pcap or pcapng."""
    return is_classic(head) or is_pcapng(head)

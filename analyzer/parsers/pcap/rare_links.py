"""Headers below IP that have no fixed size, read one frame at a time.

Rules: Zeek's ``src/packet_analysis/protocol/{ethernet,vlan,snap,llc,nflog,ieee802_11*}``. The
headers that other programs than tcpdump put before 802.11 frames (Prism, AVS, PPI) and BSD's
loopback with addresses families in network order are ours: Zeek reads nothing of such captures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from analyzer.parsers.pcap.links import (
    AVS,
    BROKEN,
    ETHERNET_LENGTH,
    INTERNET,
    IP,
    LINKS,
    NETFILTER_LOG,
    NOT_IP,
    PER_PACKET_INFORMATION,
    PRISM,
    RADIOTAP,
    TRUNCATED,
    UNKNOWN_LINK,
    VLAN_LENGTH,
    WIRELESS,
)


class Layer(NamedTuple):
    """What follows: a layer of :mod:`links`, or the reason why nothing does, and its bytes."""

    kind: int
    start: int
    end: int


def rare_layer(data: memoryview, layer: Layer) -> Layer:
    """Step over headers that tables do not describe.

    Returns:
        What follows them: never one of these, but for an A-MSDU, which stays wireless and is for
        :func:`subframes`, and a link type that is unknown.
    """
    while layer.kind in _READERS:
        following = _READERS[layer.kind](data, layer.start, layer.end)
        if following.kind == layer.kind:
            break
        layer = following
    return following


def _ethernet_length(data: memoryview, start: int, end: int) -> Layer:
    if end - start < _number(data, start - 2, 2):
        return Layer(TRUNCATED, start, end)
    return _logical_link(data, start, end)


def _vlan_length(data: memoryview, start: int, end: int) -> Layer:
    if end - start < 2:
        return Layer(TRUNCATED, start, end)
    return _logical_link(data, start, min(end, start + _number(data, start - 2, 2)))


def _logical_link(data: memoryview, start: int, end: int) -> Layer:
    """IEEE 802.2: only its SNAP can carry IP for Zeek."""
    if data[start] != _SNAP or data[start + 1] != _SNAP:
        return Layer(NOT_IP, start, end)
    if end - start < 3:
        return Layer(TRUNCATED, start, end)
    # The control field of an unnumbered frame has one byte, of another two.
    at = start + 3 + (data[start + 2] & 3 != 3)
    if end - at < 5:
        return Layer(TRUNCATED, start, end)
    if _number(data, at, 3):
        return Layer(NOT_IP, at, end)
    return Layer(INTERNET.get(_number(data, at + 3, 2), NOT_IP), at + 5, end)


def _wireless(data: memoryview, start: int, end: int) -> Layer:
    """IEEE 802.11."""
    size = 24
    if end - start <= size:
        return Layer(TRUNCATED, start, end)
    control, flags = data[start], data[start + 1]
    if not control >> 2 & 2 or control >> 4 & 4:
        return Layer(NOT_IP, start, end)  # Management, control, or no data.
    size += 6 if flags & 3 == 3 else 0
    if end - start <= size:
        return Layer(TRUNCATED, start, end)
    aggregated = False
    if control >> 4 & 8:
        aggregated = data[start + size] & 0x80 != 0
        if flags & 0x40:
            return Layer(NOT_IP, start, end)  # Encrypted.
        size += 2
    if end - start <= size:
        return Layer(TRUNCATED, start, end)
    if aggregated:
        return Layer(WIRELESS, start + size, end)
    return _wireless_payload(data, start + size, end)


def _wireless_payload(data: memoryview, start: int, end: int) -> Layer:
    if end - start < len(_ENCAPSULATED_ETHERNET) + 2:
        return Layer(TRUNCATED, start, end)
    type_at = start + len(_ENCAPSULATED_ETHERNET)
    if data[start:type_at] != _ENCAPSULATED_ETHERNET:
        return Layer(NOT_IP, start, end)
    return Layer(INTERNET.get(_number(data, type_at, 2), NOT_IP), type_at + 2, end)


def subframes(data: memoryview, start: int, end: int) -> Iterator[Layer]:
    """What an A-MSDU aggregates, up to the first part that is broken, as its reason.

    Zeek takes as padding what the length leaves over four, not what it lacks of four; so do we.
    """
    while start < end:
        length = _number(data, start + 12, 2) if end - start >= _SUBFRAME else end
        if end - start < _SUBFRAME + length:
            yield Layer(TRUNCATED, start, end)
            return
        start += _SUBFRAME
        yield _wireless_payload(data, start, start + length)
        start += length
        if end - start >= length % 4:
            start += length % 4


def _radiotap(data: memoryview, start: int, end: int) -> Layer:
    return _prefixed(data, start, end, WIRELESS, _little(data, start + 2, end, 2))


def _prism(data: memoryview, start: int, end: int) -> Layer:
    if data[start : start + 4] == _AVS_MAGIC:  # Drivers wrote either under the same number.
        return _avs(data, start, end)
    return _prefixed(data, start, end, WIRELESS, _little(data, start + 4, end, 4))


def _avs(data: memoryview, start: int, end: int) -> Layer:
    length = _number(data, start + 4, 4) if end - start >= 8 else 0
    return _prefixed(data, start, end, WIRELESS, length)


def _per_packet_information(data: memoryview, start: int, end: int) -> Layer:
    link = _little(data, start + 4, end, 4)
    length = _little(data, start + 2, end, 2)
    return _prefixed(data, start, end, LINKS.get(link, UNKNOWN_LINK), length)


def _prefixed(data: memoryview, start: int, end: int, kind: int, length: int) -> Layer:
    del data
    if not 0 < length < end - start:
        return Layer(TRUNCATED, start, end)
    return Layer(kind, start + length, end)


def _netfilter_log(data: memoryview, start: int, end: int) -> Layer:
    if end - start <= 4:
        return Layer(TRUNCATED, start, end)
    if data[start + 1] != 0:
        return Layer(BROKEN, start, end)
    kind = _NETFILTER_FAMILIES.get(data[start], NOT_IP)
    start += 4
    while end - start > 4:
        length, value_type = _little(data, start, end, 2), _little(data, start + 2, end, 2)
        if value_type == _NETFILTER_PAYLOAD:
            return Layer(kind, start + 4, end)
        if length < 4:
            return Layer(BROKEN, start, end)
        start += length + -length % 4
    return Layer(TRUNCATED, start, end)


def _unknown(data: memoryview, start: int, end: int) -> Layer:
    """Zeek takes a link type it does not know for bare IP."""
    version = data[start] >> 4 if end > start else 0
    return Layer(IP if version in (4, 6) else UNKNOWN_LINK, start, end)


def _number(data: memoryview, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size])


def _little(data: memoryview, at: int, end: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little") if end - at >= size else 0


_SNAP = 0xAA
_ENCAPSULATED_ETHERNET = b"\xaa\xaa\x03\0\0\0"
_SUBFRAME = 14
_AVS_MAGIC = b"\x80\x21\x10\x01"
_NETFILTER_FAMILIES = {2: IP, 10: IP}
_NETFILTER_PAYLOAD = 9

_READERS: Mapping[int, Callable[[memoryview, int, int], Layer]] = {
    ETHERNET_LENGTH: _ethernet_length,
    VLAN_LENGTH: _vlan_length,
    WIRELESS: _wireless,
    RADIOTAP: _radiotap,
    PRISM: _prism,
    AVS: _avs,
    PER_PACKET_INFORMATION: _per_packet_information,
    NETFILTER_LOG: _netfilter_log,
    UNKNOWN_LINK: _unknown,
}

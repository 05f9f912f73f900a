"""How connections begin: the loop that tells the most frequent ones at once.

HTTP requests and ClientHellos that stand in one segment, and NTP, are recognised here, and what
answers them is held against that. Connections to ports of other protocols, and those that begin as
one of them may, are left to :mod:`services`; all others are looked at no more. What is sure and
what is wrong is said in :mod:`protocols`, whose readers decide the same on what is left to them.
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import ENDED, PAYLOAD, Bytes, Counts, Flags, Halves, Ports
from analyzer.parsers.pcap.beginnings import COLUMNS, DATAGRAM_BEGINNINGS, STREAM_BEGINNINGS
from analyzer.parsers.pcap.compiled import compiled

(
    NEW,
    ORIGINATOR_OPENED,
    RESPONDER_OPENED,
    HTTP_REQUESTED,
    TLS_GREETED,
    TLS_GREETING,
    FOLLOWED,
    SETTLED,
) = range(8)
"""Stages of a connection: nothing seen; what one side sent first said nothing; a request or a
ClientHello waits for its answer; a ClientHello waits for its rest; readers follow it; nothing more
is to be found out."""

HTTP_PORT, TLS_PORT, NTP_PORT, DNS_PORT, LEFT_TO_READERS = 1, 2, 3, 4, 5
"""What is known of a port; 0 for nothing."""

HTTP, TLS, NTP = 1, 2, 3
"""Services that are named here, as :mod:`services` numbers them."""

FOLLOWED_COUNT, NAMED_COUNT, NAME_START, NAME_LENGTH = 0, 1, 2, 3
"""Places in the array of counts: events left to readers, names found, and where one was found."""

LONGEST_NAME = 300
"""Bytes of a server's name that are worth a look, with a port and spaces."""

_TCP, _UDP = 6, 17
_GET, _POST, _PUT, _HEAD = 0x47455420, 0x504F5354, 0x50555420, 0x48454144
_VERSION, _VERSION_LOWER, _HOST, _SWITCHING = 0x48545450, 0x68747470, 0x686F7374, 0x20313031


@compiled
def _pair(data: Bytes, place: int) -> int:
    """A number of 16 bits in network order."""
    return int(np.int64(data[place]) << 8 | np.int64(data[place + 1]))


@compiled
def _word(data: Bytes, place: int) -> int:
    """A number of 32 bits in network order."""
    return _pair(data, place) << 16 | _pair(data, place + 2)


@compiled
def begins(data: Bytes, start: int, end: int, beginnings: Counts) -> bool:
    """Whether bytes begin in one of some ways; there has to be at least one byte.

    Args:
        data: the bytes.
        start: where they begin.
        end: where they end.
        beginnings: as in :data:`STREAM_BEGINNINGS`.
    """
    first, size = data[start], end - start
    for row in range(0, beginnings.size, COLUMNS):
        if beginnings[row] <= first <= beginnings[row + 1] and size >= beginnings[row + 2]:
            place, bits = int(beginnings[row + 3]), int(beginnings[row + 4])
            if place < 0:
                found = size < -place
            elif place + 4 <= size:
                found = _word(data, start + place) & bits == beginnings[row + 5]
            else:
                found = bits == 0
            if found:
                return True
    return False


@compiled
def client_hello(data: Bytes, start: int, end: int, counts: Counts) -> bool:
    """Whether bytes begin with a whole ClientHello in one record (RFC 8446, sections 4.1.2, 5.1).

    Args:
        data: the bytes.
        start: where they begin.
        end: where they end.
        counts: where the server's name begins, and its length (0 if there is none), are noted.
    """
    counts[NAME_LENGTH] = 0
    if end - start < 44 or _word(data, start) & 0xFFFFFC00 != 0x16030000:
        return False
    place = start + 9
    stop = place + (_word(data, start + 5) & 0xFFFFFF)
    if start + 5 + _pair(data, start + 3) > end or stop > start + 5 + _pair(data, start + 3):
        return False
    if data[start + 5] != 1 or stop - place < 39 or not 0x300 <= _pair(data, place) <= 0x304:
        return False
    place += 35 + int(np.int64(data[place + 34]))
    if place + 2 > stop:
        return False
    ciphers = _pair(data, place)
    place += 2 + ciphers
    if ciphers < 2 or ciphers & 1 or place >= stop or data[place] == 0:
        return False
    place += 1 + int(np.int64(data[place]))
    if place > stop:
        return False
    if place + 2 <= stop:
        stop = min(stop, place + 2 + _pair(data, place))
    place += 2
    while place + 4 <= stop:
        kind, length = _pair(data, place), _pair(data, place + 2)
        place += 4
        if kind == 0:
            if length >= 5 and place + length <= stop and data[place + 2] == 0:
                counts[NAME_START] = place + 5
                counts[NAME_LENGTH] = min(_pair(data, place + 3), length - 5)
            break
        place += length
    return True


@compiled
def http_request(data: Bytes, start: int, end: int, counts: Counts) -> bool:
    """Whether bytes begin with the line of an HTTP/1 request (RFC 9112, section 3).

    Only the four most usual methods.

    Args:
        data: the bytes.
        start: where they begin.
        end: where they end.
        counts: where the Host header's value begins, and its length (0 if it is not there, or not
            all of it), are noted.
    """
    counts[NAME_LENGTH] = 0
    if end - start < 16:
        return False
    method = _word(data, start)
    if method != _GET and method != _POST and method != _PUT and method != _HEAD:
        return False
    line, is_first = start, True
    for place in range(start, end):
        if data[place] != 10:
            continue
        if is_first:
            last = place - 1 if data[place - 1] == 13 else place
            if last - start < 14 or data[last - 9] != 32 or data[last - 4] != 47:
                return False
            if _word(data, last - 8) != _VERSION:
                return False
            is_first = False
        elif place - line < 2:
            break
        elif place - line < 6:
            pass
        elif _word(data, line) | 0x20202020 == _HOST and data[line + 4] == 58:
            counts[NAME_START], counts[NAME_LENGTH] = line + 5, place - line - 5
            break
        line = place + 1
    return not is_first


@compiled
def look(
    data: Bytes,
    kinds: Flags,
    slots: Counts,
    from_originator: Flags,
    starts: Counts,
    captured: Counts,
    lengths: Counts,
    stream_offsets: Counts,
    protocols: Flags,
    responder_ports: Ports,
    is_partial: Flags,
    tcp_ports: Flags,
    udp_ports: Flags,
    stages: Flags,
    services: Halves,
    followed: Counts,
    named: Counts,
    counts: Counts,
) -> None:
    """Look at events, in order.

    Args:
        data: the bytes that hold payloads.
        kinds: of events, as in :class:`~.batches.FlowBatch`; so are the next six.
        slots: their connections.
        from_originator: 1 for what the originator sent.
        starts: where payloads begin.
        captured: bytes present of them.
        lengths: bytes of them by the headers.
        stream_offsets: where they stand in their direction's stream.
        protocols: IP protocol number of each connection.
        responder_ports: port of its responder.
        is_partial: whether it was seen from its middle.
        tcp_ports: what is known of each TCP port.
        udp_ports: likewise of UDP.
        stages: stage of each connection; changed.
        services: numbers of its services, the first in the lowest byte; changed.
        followed: indices of events that are left to readers; filled.
        named: three numbers for each server's name: the connection, where the name begins, its
            length; filled.
        counts: how many of both there are; changed.
    """
    for index in range(kinds.size):
        slot = slots[index]
        stage = int(np.int64(stages[slot]))
        if stage == SETTLED or kinds[index] == ENDED:
            continue
        protocol, port = protocols[slot], responder_ports[slot]
        sent = from_originator[index]
        start, end = starts[index], starts[index] + captured[index]
        if stage == FOLLOWED or stage == TLS_GREETING:
            pass
        elif kinds[index] != PAYLOAD:
            is_left = protocol == _TCP and tcp_ports[port] == LEFT_TO_READERS
            stage = FOLLOWED if stage == NEW and is_left else SETTLED
        elif end <= start or stage == (ORIGINATOR_OPENED if sent else RESPONDER_OPENED):
            continue
        elif stage == HTTP_REQUESTED or stage == TLS_GREETED:
            if sent or stream_offsets[index] != 0:
                continue
            is_right = 20 <= data[start] <= 24 and (end - start == 1 or data[start + 1] == 3)
            if stage == HTTP_REQUESTED:
                is_right = data[start] | 32 == 104
                if end - start >= 12:
                    is_right = (_word(data, start) | 0x20202020) == _VERSION_LOWER
            stage = SETTLED
            if not is_right:
                services[slot] = 0
            elif end - start >= 12 and _word(data, start + 8) == _SWITCHING and data[start] >= 65:
                stage = FOLLOWED
        else:
            found = SETTLED
            first = data[start]
            if protocol == _TCP:
                known = tcp_ports[port]
                if known == LEFT_TO_READERS or stream_offsets[index] != 0:
                    found = FOLLOWED
                elif (
                    sent
                    and not is_partial[slot]
                    and captured[index] == lengths[index]
                    and (first == 22 or 65 <= first <= 90 or (known == TLS_PORT and first & 0x80))
                ):
                    found = FOLLOWED
                    if client_hello(data, start, end, counts):
                        found, services[slot] = TLS_GREETED, TLS
                    elif http_request(data, start, end, counts):
                        found, services[slot] = HTTP_REQUESTED, HTTP
                    elif first == 22:
                        found = TLS_GREETING
                    if 0 < counts[NAME_LENGTH] <= LONGEST_NAME:
                        place = 3 * counts[NAMED_COUNT]
                        named[place] = slot
                        named[place + 1] = counts[NAME_START]
                        named[place + 2] = counts[NAME_LENGTH]
                        counts[NAMED_COUNT] += 1
                else:
                    found = FOLLOWED if begins(data, start, end, STREAM_BEGINNINGS) else NEW
            elif protocol == _UDP:
                known = udp_ports[port]
                if known == NTP_PORT:
                    shortest = 48 if first & 7 < 6 else 12 if first & 7 == 6 else 8
                    if first & 7 and 0x08 <= first & 0x38 <= 0x20 and end - start >= shortest:
                        services[slot] = NTP
                elif known == LEFT_TO_READERS:
                    found = FOLLOWED
                elif known != DNS_PORT:
                    found = FOLLOWED if begins(data, start, end, DATAGRAM_BEGINNINGS) else NEW
            if found != NEW:
                stage = found
            elif stage != NEW:
                stage = SETTLED
            else:
                stage = ORIGINATOR_OPENED if sent else RESPONDER_OPENED
        stages[slot] = stage
        if stage == FOLLOWED or (stage == TLS_GREETING and (sent or stream_offsets[index] == 0)):
            followed[counts[FOLLOWED_COUNT]] = index
            counts[FOLLOWED_COUNT] += 1

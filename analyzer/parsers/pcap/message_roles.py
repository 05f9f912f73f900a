"""What DNS and NTP messages tell of who opened the connection that carries them.

Zeek src/analyzer/protocol/dns/DNS.cc (ParseMessage, Contents_DNS) and
src/analyzer/protocol/ntp/ntp-analyzer.pac.
"""

from __future__ import annotations

from analyzer.parsers.pcap.batches import Bytes
from analyzer.parsers.pcap.connection_history import add_letter
from analyzer.parsers.pcap.connection_state import (
    DNS,
    DNS_GONE,
    FIRST_MESSAGE_SEEN,
    NTP_ORIGINATOR_FLIPPED,
    NTP_RESPONDER_FLIPPED,
    STREAM_LOST,
    TIMED,
    Record,
)
from analyzer.parsers.pcap.parts import expanded, number, part, wide
from analyzer.parsers.pcap.roles import flip, is_multicast

DNS_HEADER, DNS_LENGTH = 12, 2
"""Bytes of a DNS message's header (RFC 1035), and of its length in a TCP stream."""

DNS_MAX_QUERIES = 25
"""Questions of a message above which Zeek takes it for none: dns_max_queries."""

_HANDLED_OPCODES = (1 << 0) | (1 << 4) | (1 << 5)  # query, notify, update
_UNKNOWN = 0x400
_UNKNOWN_CODE = number(ord("X"))
_NOT_A_QUERY = number(0)
_RESPONSE = 0x80
_FLAGS_AT, _QUESTIONS_AT = 2, 4

_NETBIOS_PORT = 137
_NTP_SIZE = 48
_NTP_CLIENT, _NTP_SERVER_MODE = 3, 4


@part
def _dns_message(
    connection: Record, flags: int, questions: int, is_query: int, ledger: Record
) -> bool:
    """Take notice of the header of a DNS message.

    Args:
        connection: the connection.
        flags: upper byte of the header's flags.
        questions: how many questions it announces.
        is_query: 1 if the originator sent it.
        ledger: where letters of long histories go.

    Returns:
        Whether it flipped the connection.
    """
    netbios = (
        connection.originator_port == _NETBIOS_PORT or connection.responder_port == _NETBIOS_PORT
    )
    if not netbios and not (_HANDLED_OPCODES >> ((flags >> 3) & 15)) & 1:
        if not connection.history_seen & _UNKNOWN:
            connection.history_seen |= _UNKNOWN
            add_letter(connection, _UNKNOWN_CODE, ledger)
        return False
    first = not connection.flags & FIRST_MESSAGE_SEEN
    connection.flags |= FIRST_MESSAGE_SEEN
    if questions > DNS_MAX_QUERIES:
        connection.flags |= DNS_GONE
    if (
        first
        and flags & _RESPONSE
        and is_query
        and not is_multicast(connection.responder_high, connection.responder_low)
    ):
        flip(connection, ledger)
        return True
    return False


@part
def dns_datagram(
    connection: Record, data: Bytes, start: int, captured: int, is_query: int, ledger: Record
) -> bool:
    """Read the header of a DNS message in a datagram; whether it flipped the connection."""
    if connection.flags & DNS_GONE:
        # Zeek takes its DNS analyzer, and with it the timer, off when the next packet comes.
        connection.flags &= ~(DNS | TIMED)
        return False
    if captured < DNS_HEADER:
        return False
    questions = wide(data[start + _QUESTIONS_AT]) * 256 + data[start + _QUESTIONS_AT + 1]
    return _dns_message(
        connection, wide(data[start + _FLAGS_AT]), wide(questions), is_query, ledger
    )


@part
def ntp_datagram(
    connection: Record, data: Bytes, start: int, captured: int, is_originator: int, ledger: Record
) -> bool:
    """Read the mode of an NTP message (RFC 5905); whether it flipped the connection."""
    if captured < _NTP_SIZE:
        return False
    done = NTP_ORIGINATOR_FLIPPED if is_originator else NTP_RESPONDER_FLIPPED
    wrong = _NTP_SERVER_MODE if is_originator else _NTP_CLIENT
    if data[start] & 7 != wrong or connection.flags & done:
        return False
    connection.flags |= done
    flip(connection, ledger)
    return True


@part
def dns_stream(
    connection: Record, endpoint: Record, data: Bytes, start: int, end: int, ledger: Record
) -> None:
    """Read the headers of DNS messages in bytes that continue a TCP stream (Contents_DNS)."""
    at = start
    while at < end and not connection.flags & DNS_GONE:
        seen = wide(endpoint.message_seen)
        left = wide(endpoint.message_left)
        if seen < DNS_LENGTH:
            left = left * 256 + data[at]
            seen += 1
            at += 1
        elif seen < DNS_LENGTH + DNS_HEADER and left > 0:
            if seen - DNS_LENGTH == _FLAGS_AT:
                endpoint.message_flags = data[at]
            elif seen - DNS_LENGTH == _QUESTIONS_AT:
                endpoint.message_questions = data[at]
            elif seen - DNS_LENGTH == _QUESTIONS_AT + 1:
                endpoint.message_questions = endpoint.message_questions * 256 + data[at]
            seen += 1
            left -= 1
            at += 1
        else:
            skipped = end - at
            if left < skipped:
                skipped = left
            left -= skipped
            at += skipped
        complete = seen >= DNS_LENGTH and left == 0
        if complete and seen == DNS_LENGTH + DNS_HEADER:
            _dns_message(
                connection,
                wide(endpoint.message_flags),
                wide(endpoint.message_questions),
                wide(endpoint.side == connection.originator_side),
                ledger,
            )
        endpoint.message_seen = 0 if complete else seen
        endpoint.message_left = left


@expanded
def flush_dns_stream(connection: Record, endpoint: Record, ledger: Record) -> None:
    """Take notice of a message whose end is missing, as the connection closes."""
    if (
        not connection.flags & DNS_GONE
        and not endpoint.flags & STREAM_LOST
        and endpoint.message_seen == DNS_LENGTH + DNS_HEADER
    ):
        _dns_message(
            connection,
            wide(endpoint.message_flags),
            wide(endpoint.message_questions),
            _NOT_A_QUERY,
            ledger,
        )

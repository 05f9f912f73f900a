"""DNS and NTP messages that tell who asked."""

from __future__ import annotations

import pytest

from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.message_roles import DNS_MAX_QUERIES

from .segments import (
    CLIENT,
    OTHER,
    SERVER,
    TCP,
    UDP,
    Row,
    Segment,
    back,
    batch,
    only_row,
    rows,
    rows_of,
    tcp,
)

MULTICAST = 0xFFFF_E000_00FB


def dns(*, response: bool = False, opcode: int = 0, questions: int = 1, size: int = 12) -> bytes:
    """A DNS message, or its first bytes."""
    flags = response << 7 | opcode << 3
    return (b"\0\1" + bytes([flags, 0]) + questions.to_bytes(2) + bytes(size))[:size]


def first_dns(
    payload: bytes, ports: tuple[int, int] = (40_000, 53), destination: int = SERVER
) -> Row:
    """The connection that one message opens."""
    return only_row([Segment(1, CLIENT, destination, *ports, UDP, payload=payload)])


def test_a_response_first() -> None:
    row = first_dns(dns(response=True))
    assert (row.orig, row.resp, row.history) == ((SERVER, 53), (CLIENT, 40_000), "D^")
    # Counted by the role that its sender had when it came.
    assert (row.packets, row.ip_bytes, row.conn_state) == ((1, 0), (40, 0), "S0")


def test_a_query_first() -> None:
    sent = Segment(1, destination_port=53, protocol=UDP, payload=dns())
    answer = back(sent, time=1.5, payload=dns(response=True))
    row = only_row([sent, answer])
    assert (row.orig, row.history, row.conn_state) == ((CLIENT, 40_000), "Dd", "SF")


def test_only_the_first_message_tells() -> None:
    sent = Segment(1, destination_port=53, protocol=UDP, payload=dns())
    row = only_row([sent, sent._replace(time=2, payload=dns(response=True))])
    assert row.history == "D"


@pytest.mark.parametrize(
    ("payload", "port", "destination"),
    [
        (dns(response=True), 5353, MULTICAST),
        (dns(response=True, size=11), 53, SERVER),
        (dns(response=True), 5_300, SERVER),
        (b"", 53, SERVER),
    ],
)
def test_no_response(payload: bytes, port: int, destination: int) -> None:
    assert first_dns(payload, (40_000, port), destination).history == "D"


@pytest.mark.parametrize("opcode", range(16))
def test_what_is_no_dns(opcode: int) -> None:
    known = opcode in {0, 4, 5}
    row = first_dns(dns(opcode=opcode))
    assert row.history == ("D" if known else "DX")
    assert first_dns(dns(response=True, opcode=opcode)).history == ("D^" if known else "DX")
    # NetBIOS has opcodes of its own.
    assert first_dns(dns(opcode=opcode), (137, 137)).history == "D"


def test_what_is_no_dns_is_said_once() -> None:
    sent = Segment(1, destination_port=53, protocol=UDP, payload=dns(opcode=9))
    assert only_row([sent, sent._replace(time=2), back(sent, time=3)]).history == "DXd"


@pytest.mark.parametrize(("questions", "count"), [(DNS_MAX_QUERIES, 2), (DNS_MAX_QUERIES + 1, 1)])
def test_too_many_questions_end_dns_and_its_timer(questions: int, count: int) -> None:
    sent = Segment(1, destination_port=53, protocol=UDP, payload=dns(questions=questions))
    found = rows([sent, sent._replace(time=2), sent._replace(time=30)])
    assert len(found) == count


@pytest.mark.parametrize(
    ("mode", "from_client", "expected"),
    [(3, True, "D"), (4, True, "D^"), (3, False, "^d^"), (4, False, "^d"), (1, True, "D")],
)
def test_ntp(mode: int, from_client: bool, expected: str) -> None:  # noqa: FBT001
    payload = bytes([0x20 | mode]) + bytes(47)
    sent = Segment(1, destination_port=123, protocol=UDP, payload=payload)
    assert only_row([sent if from_client else back(sent)]).history == expected
    short = sent._replace(payload=payload[:47])
    assert "^" not in only_row([short]).history


def test_ntp_turns_each_way_once() -> None:
    reply = bytes([0x24]) + bytes(47)
    sent = Segment(1, destination_port=123, protocol=UDP, payload=reply)
    row = only_row([sent._replace(time=k) for k in range(5)])
    assert row.history.count("^") == 1


HANDSHAKE = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n"


def over_tcp(*pieces: bytes) -> Row:
    """What a client's bytes make of a connection to port 53."""
    table_rows = tcp(HANDSHAKE, ports=(40_000, 53))
    at = 1
    for k, piece in enumerate(pieces):
        (sent,) = tcp(f"{1 + k} > PA {at} 1", ports=(40_000, 53))
        table_rows.append(sent._replace(payload=piece))
        at += len(piece)
    return only_row(table_rows)


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2) + message


def test_dns_over_tcp() -> None:
    assert over_tcp(framed(dns())).history == "ShAD"
    assert over_tcp(framed(dns(response=True))).history == "ShAD^"
    assert over_tcp(framed(dns(opcode=3))).history == "ShADX"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 13])
def test_dns_over_tcp_in_pieces(size: int) -> None:
    data = framed(dns(size=20)) + framed(dns(opcode=3, size=30)) + framed(b"short")
    pieces = [data[k : k + size] for k in range(0, len(data), size)]
    assert over_tcp(*pieces).history == "ShADX"
    assert over_tcp(data).history == "ShADX"
    assert over_tcp(framed(dns(size=20)) + framed(b"short")).history == "ShAD"


def test_dns_over_tcp_with_a_gap_is_no_longer_read() -> None:
    segments = tcp(HANDSHAKE + "1 > PA 5 1 10\n 2 < A 1 15", ports=(40_000, 53))
    (late,) = tcp("3 > PA 15 1", ports=(40_000, 53))
    row = only_row([*segments, late._replace(payload=framed(dns(opcode=3)))])
    assert "X" not in row.history


def test_an_unfinished_message_counts_when_its_connection_closes() -> None:
    unfinished = (60).to_bytes(2) + dns(opcode=3, size=30)
    opening = tcp(HANDSHAKE, ports=(40_000, 53))
    (sent,) = tcp("1 > PA 1 1", ports=(40_000, 53))
    assert only_row([*opening, sent._replace(payload=unfinished)]).history == "ShAD"
    closing = tcp("2 > FA 33 1\n 2.1 < FA 1 34\n 2.2 > A 34 2", ports=(40_000, 53))
    row = only_row([*opening, sent._replace(payload=unfinished), *closing])
    assert row.history == "ShADFXf"


def test_messages_are_read_across_batches() -> None:
    data = framed(dns(response=True))
    table = ConnectionTable(16)
    table.add(batch(tcp(HANDSHAKE, ports=(40_000, 53))))
    for k in range(len(data)):
        (sent,) = tcp(f"{1 + k} > PA {1 + k} 1", ports=(40_000, 53))
        table.add(batch([sent._replace(payload=data[k : k + 1])]))
    (row,) = rows_of(table, table.finish())
    assert (row.history, row.orig[0]) == ("ShAD^", SERVER)


def test_other_ports_are_not_read() -> None:
    sent = Segment(1, CLIENT, OTHER, 40_000, 54, UDP, payload=dns(response=True))
    assert only_row([sent]).history == "D"
    assert only_row([sent._replace(protocol=TCP, flags=16)]).history == "D"

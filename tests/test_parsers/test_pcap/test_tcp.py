"""What TCP segments make of a connection: its state, history and sizes, as Zeek has them."""

from __future__ import annotations

import pytest

from analyzer.parsers.pcap.batches import PAYLOAD

from .segments import SERVER, SERVER_PORT, events, only_row, rows, tcp

HANDSHAKE = """
    0.0 > S 0 0
    0.1 < SA 0 1
    0.2 > A 1 1
"""

CONNECTIONS = {
    "nothing but a SYN": ("0 > S 0 0", "S0", "S", None, None),
    "a SYN again": ("0 > S 0 0\n 1 > S 0 0\n 3 > S 0 0", "S0", "S", 0, 0),
    "refused": ("0 > S 0 0\n 0.1 < RA 0 1", "REJ", "Sr", 0, 0),
    "open": (HANDSHAKE, "S1", "ShA", 0, 0),
    "all of it": (
        HANDSHAKE
        + """
        0.3 > PA 1 1 100
        0.4 < PA 1 101 300
        0.5 > FA 101 301
        0.6 < FA 301 102
        0.7 > A 102 302
        """,
        "SF", "ShADdFf", 100, 300,
    ),
    "closed by the originator": (HANDSHAKE + "0.3 > FA 1 1\n 0.4 < A 1 2", "S2", "ShAFa", 0, 0),
    "closed by the responder": (HANDSHAKE + "0.3 < FA 1 1\n 0.4 > A 1 2", "S3", "ShAf", 0, 0),
    "reset by the originator": (HANDSHAKE + "0.3 > R 1 0", "RSTO", "ShAR", 0, 0),
    "reset by the responder": (HANDSHAKE + "0.3 < RA 1 1", "RSTR", "ShAr", 0, 0),
    "given up": ("0 > S 0 0\n 0.1 > R 1 0", "RSTOS0", "SR", 0, 0),
    "a FIN for an answer that never came": ("0 > S 0 0\n 0.1 > F 1 0", "SH", "SF", 0, 0),
    "from its middle": ("0 > A 1 1 10\n 0.1 < A 1 11 20", "OTH", "Dd", 10, 20),
    "only acknowledgements": ("0 > A 1 1\n 0.1 < A 1 1", "OTH", "Aa", 0, 0),
    "an answer first": ("0 < SA 0 1\n 0.1 > A 1 1", "OTH", "^hA", 0, 0),
    "SYN and answer in the wrong order": (
        "0 < SA 0 1\n 0.1 > S 0 0\n 0.2 > A 1 1", "S1", "Hs^A", 0, 0,
    ),
    "a FIN and then a reset": (
        HANDSHAKE + "0.3 > FA 1 1\n 0.4 < RA 1 2", "RSTR", "ShAFr", 0, 0,
    ),
    "a reset after all": (
        HANDSHAKE + "0.3 > FA 1 1\n 0.4 < FA 1 2\n 0.5 > A 2 2\n 0.6 < R 2 0",
        "SF", "ShAFfr", 0, 0,
    ),
    "FIN and RST in one": (HANDSHAKE + "0.3 > FRA 1 1", "RSTO", "ShAI", 0, 0),
    "SYN and FIN in one": ("0 > SF 0 0", "SH", "Q", None, None),
    "SYN and RST in one": ("0 > S 0 0\n 0.1 > SR 0 0", "OTH", "SQ", 0, 0),
    "bytes sent again": (
        HANDSHAKE + "0.3 > PA 1 1 100\n 0.4 > PA 1 1 100\n 0.5 < A 1 101",
        "S1", "ShADTa", 100, 0,
    ),
    "a SYN with bytes": (
        "0 > S 0 0 30\n 0.1 < SA 0 31\n 0.2 > A 31 1", "S1", "SThA", 30, 0,
    ),
    "a closed window": (HANDSHAKE + "0.3 < A 1 1 w0\n 0.4 < A 1 1 w0", "S1", "ShAaw", 0, 0),
    "another reset elsewhere": (
        HANDSHAKE + "0.3 > R 1 0\n 0.4 > R 1 0\n 0.5 > R 7 0", "RSTO", "ShARR", 0, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONNECTIONS)
def test_states_histories_and_sizes(name: str) -> None:
    lines, state, history, orig_bytes, resp_bytes = CONNECTIONS[name]
    row = only_row(tcp(lines))
    assert (row.conn_state, row.history) == (state, history)
    assert (row.orig_bytes, row.resp_bytes) == (orig_bytes, resp_bytes)


def test_packets_and_bytes_of_ip() -> None:
    row = only_row(tcp(HANDSHAKE + "0.3 > PA 1 1 100\n 0.35 > PA 1 1 100\n 0.4 < PA 1 101 300"))
    assert (row.packets, row.ip_bytes) == ((4, 2), (360, 380))
    assert (row.start, row.duration) == (0.0, 0.4)


@pytest.mark.parametrize(
    ("lines", "state", "history"),
    [
        ("0 < SA 0 1\n 0.1 < R 1 0", "RSTRH", "^hr"),
        ("0 < SA 0 1\n 0.1 < FA 1 1", "SHR", "^hf"),
        ("0 < A 1 1 5\n 0.1 > A 1 6", "OTH", "^dA"),
        ("0 > S 0 0\n 0.1 < SA 0 1", "S1", "Sh"),
    ],
)
def test_a_servers_port_tells_who_opened_it(lines: str, state: str, history: str) -> None:
    row = only_row(tcp(lines, ports=(40_000, 80)))
    assert (row.conn_state, row.history, row.resp) == (state, history, (SERVER, 80))


def test_another_syn_is_another_connection() -> None:
    first, second = rows(tcp("0 > S 0 0\n 1 > S 500 0\n 1.1 < SA 0 501"))
    assert (first.conn_state, first.packets) == ("S0", (1, 0))
    assert (second.start, second.conn_state, second.history) == (1.0, "S1", "Sh")


def test_a_syn_after_the_end_is_another_connection() -> None:
    closed = HANDSHAKE + "0.5 > FA 1 1\n 0.6 < FA 1 2\n 0.7 > A 2 2\n"
    first, second = rows(tcp(closed + "1 > S 0 0"))
    assert (first.conn_state, first.packets) == ("SF", (4, 2))
    assert (second.conn_state, second.start) == ("S0", 1.0)


def test_a_late_answer_is_no_new_connection() -> None:
    row = only_row(tcp("0 > S 0 0\n 0.1 < SA 0 1\n 0.2 < SA 0 1\n 0.3 < SA 50 1"))
    assert (row.packets, row.conn_state, row.history) == ((1, 3), "S1", "Sh")


def test_payload_is_given_out_once() -> None:
    happened = events(
        tcp(
            HANDSHAKE
            + """
            0.3 > PA 1 1 100
            0.4 > PA 1 1 100
            0.5 > PA 51 1 100
            0.6 < PA 1 151 7
            """
        )
    )
    assert [(e.kind, e.from_originator, e.stream_offset, e.length) for e in happened] == [
        (PAYLOAD, 1, 0, 100),
        (PAYLOAD, 1, 50, 100),
        (PAYLOAD, 0, 0, 7),
    ]


def test_payload_is_given_out_at_the_head_of_a_stream() -> None:
    lines = "".join(f"{1 + k} > PA {1 + 1000 * k} 1 1000\n" for k in range(7))
    offsets = [e.stream_offset for e in events(tcp(HANDSHAKE + lines))]
    assert offsets == [0, 1000, 2000, 3000, 4000]
    all_of_it = [e.stream_offset for e in events(tcp(HANDSHAKE + lines, ports=(40_000, 53)))]
    assert all_of_it == [1000 * k for k in range(7)]


def test_what_the_capture_cut_off() -> None:
    lines = HANDSHAKE + "0.3 > PA 1 1 100 c20\n 0.4 < A 1 101"
    (event,) = (e for e in events(tcp(lines)) if e.kind == PAYLOAD)
    assert (event.length, len(event.payload)) == (100, 20)
    row = only_row(tcp(lines))
    assert (row.orig_bytes, row.missed_bytes, row.history) == (100, 100, "ShADaG")


def test_broken_headers_open_connections_and_count_for_nothing() -> None:
    broken = [segment._replace(ip_length=-1) for segment in tcp("0 > - 0 0\n 1 < - 0 0")]
    row = only_row(broken)
    assert (row.resp, row.packets, row.ip_bytes) == ((SERVER, SERVER_PORT), (0, 0), (0, 0))
    assert (row.conn_state, row.history, row.duration) == ("OTH", "", None)

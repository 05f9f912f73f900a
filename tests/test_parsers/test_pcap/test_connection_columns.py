"""conn.log's columns from the state of connections."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analyzer.parsers.pcap.connection_columns import connection_columns
from analyzer.parsers.pcap.connection_state import (
    CLOSED,
    CONNECTION,
    ENDPOINT,
    ESTABLISHED,
    FIN_SEEN,
    HISTORY_INLINE,
    INACTIVE,
    MIDSTREAM,
    RESET,
    SYN_ACK_SENT,
    SYN_SENT,
    TCP,
    UDP,
    Records,
)

STATES = (INACTIVE, SYN_SENT, SYN_ACK_SENT, MIDSTREAM, ESTABLISHED, CLOSED, RESET)


def records(count: int) -> tuple[Records, Records, Records]:
    """TCP connections of which nothing is known."""
    connections = np.zeros(count, CONNECTION)
    connections["protocol"] = TCP
    ends = np.zeros(count, ENDPOINT), np.zeros(count, ENDPOINT)
    for end in ends:
        end["payload_bytes"] = -1
    return connections, *ends


def conn_state(  # noqa: PLR0911 - as it is there
    orig: int, resp: int, history: str, sizes: tuple[int, int]
) -> str:
    """Function conn_state of Zeek's main.zeek for TCP, one question after another."""
    unheard = (INACTIVE, MIDSTREAM)
    if resp == RESET:
        if orig in (SYN_SENT, SYN_ACK_SENT) or (orig == RESET and sizes == (0, 0)):
            return "REJ"
        return "RSTRH" if orig in unheard else "RSTR"
    if orig == RESET:
        if resp in unheard:
            opened = history.startswith(("S", "^S")) and "R" in history
            before = history.split("R", maxsplit=1)[0].lstrip("^")[1:]
            return "RSTOS0" if opened and not set(before) & set("HAFGIQ") else "OTH"
        return "RSTO"
    if orig == CLOSED:
        if resp == CLOSED:
            return "SF"
        return "SH" if resp in unheard else "S2"
    if resp == CLOSED:
        return "SHR" if orig in unheard else "S3"
    if (orig, resp) == (SYN_SENT, INACTIVE):
        return "S0"
    return "S1" if (orig, resp) == (ESTABLISHED, ESTABLISHED) else "OTH"


@pytest.mark.parametrize("history", ["SR", "^SR", "SDR", "ShR", "SAR", "SFR", "R", "^R", "", "SQR"])
@pytest.mark.parametrize("size", [0, 7])
def test_states_of_tcp(history: str, size: int) -> None:
    pairs = list(itertools.product(STATES, STATES))
    connections, originators, responders = records(len(pairs))
    connections["history"][:, : len(history)] = list(history.encode())
    connections["history_length"] = len(history)
    originators["state"], responders["state"] = np.array(pairs).T
    originators["start"] = 100
    originators["last"] = originators["acknowledged"] = 101 + size
    responders["start"] = responders["last"] = responders["acknowledged"] = 5
    said = connection_columns(connections, originators, responders, {})
    assert said.orig_bytes.tolist() == [size] * len(pairs)
    assert [state.decode() for state in said.conn_states.tolist()] == [
        conn_state(*pair, history, (size, 0)) for pair in pairs
    ]


def test_states_of_udp_and_others() -> None:
    connections, originators, responders = records(5)
    connections["protocol"] = [UDP] * 4 + [1]
    originators["payload_bytes"] = [-1, 0, -1, 8, 8]
    responders["payload_bytes"] = [-1, -1, 0, 9, 9]
    said = connection_columns(connections, originators, responders, {})
    assert said.conn_states.tolist() == [b"OTH", b"S0", b"SHR", b"SF", b"OTH"]
    assert said.orig_bytes.tolist() == [0, 0, 0, 8, 8]
    assert said.resp_bytes.tolist() == [0, 0, 0, 9, 9]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start": 10, "last": 111, "acknowledged": 111}, 100),
        ({"start": 10, "last": 11, "acknowledged": 111}, 100),
        ({"start": 10, "last": 112, "acknowledged": 112, "flags": FIN_SEEN}, 100),
        ({"start": 10, "last": 10, "acknowledged": 10}, 0),
        ({"start": 10, "last": 11, "acknowledged": 11, "flags": FIN_SEEN}, 0),
        ({"start": 10, "last": 5, "last_wraps": 1, "acknowledged": 10}, (1 << 32) - 6),
        ({"start": 10, "last": 5, "acknowledged": 5}, (1 << 64) - 6),
        ({"start": 10, "acknowledged": 50, "state": RESET, "previous_state": SYN_SENT}, 0),
        ({"start": 10, "acknowledged": 11, "state": RESET, "previous_state": SYN_SENT}, 0),
        ({"start": 10, "acknowledged": 50, "state": RESET, "previous_state": ESTABLISHED}, 39),
    ],
)
def test_sizes_of_streams(fields: dict[str, int], expected: int) -> None:
    connections, originators, responders = records(1)
    for name, value in fields.items():
        originators[name] = value
    said = connection_columns(connections, originators, responders, {})
    assert said.orig_bytes.tolist() == [expected]
    other_way = connection_columns(connections, responders, originators, {})
    assert other_way.resp_bytes.tolist() == [expected]


def test_durations() -> None:
    connections, originators, responders = records(3)
    connections["first_time"] = [10, 10, 10]
    connections["last_time"] = [12.5, 10, 9]  # clocks of captures go back
    said = connection_columns(connections, originators, responders, {})
    assert said.durations.tolist() == [2.5, 0, -1]
    assert said.has_duration.tolist() == [True, False, False]


def test_histories() -> None:
    connections, originators, responders = records(3)
    connections["history"] = ord("x")  # whatever was there before
    connections["history"][1, :3] = list(b"ShA")
    connections["history_length"] = [0, 3, HISTORY_INLINE + 2]
    connections["serial"] = [0, 1, 77]
    said = connection_columns(connections, originators, responders, {77: bytearray(b"RR")})
    assert said.histories.tolist() == [b"", b"ShA", b"x" * HISTORY_INLINE + b"RR"]


def test_counts() -> None:
    connections, originators, responders = records(2)
    connections["missed_bytes"] = [5, 6]
    originators["packets"], originators["ip_bytes"] = [1, 2], [10, 20]
    responders["packets"], responders["ip_bytes"] = [3, 4], [30, 40]
    said = connection_columns(connections, originators, responders, {})
    assert said.missed_bytes.tolist() == [5, 6]
    assert (said.orig_pkts.tolist(), said.orig_ip_bytes.tolist()) == ([1, 2], [10, 20])
    assert (said.resp_pkts.tolist(), said.resp_ip_bytes.tolist()) == ([3, 4], [30, 40])


def test_no_connections() -> None:
    said = connection_columns(*records(0), {})
    assert (said.conn_states.size, said.histories.size, said.durations.size) == (0, 0, 0)

"""When TCP connections are over: attempts, both ends closed, one end closed, idle ones."""

from __future__ import annotations

import pytest

from analyzer.parsers.pcap.tcp_states import (
    TCP_ATTEMPT_DELAY,
    TCP_CLOSE_DELAY,
    TCP_INACTIVITY_TIMEOUT,
)

from .segments import Row, rows, tcp

HANDSHAKE = "0.0 > S 0 0\n 0.1 < SA 0 1\n 0.2 > A 1 1\n"


def told(row: Row) -> tuple[str, str, int]:
    """State, history and packets of a connection."""
    return row.conn_state, row.history, sum(row.packets)


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (TCP_ATTEMPT_DELAY - 0.1, [("S1", "Sh", 2)]),
        (TCP_ATTEMPT_DELAY, [("S0", "S", 1), ("OTH", "H", 1)]),
    ],
)
def test_attempts(answered: float, expected: list[tuple[str, str, int]]) -> None:
    assert [told(row) for row in rows(tcp(f"0 > S 0 0\n {answered} < SA 0 1"))] == expected


def test_an_attempt_again_is_given_up_all_the_same() -> None:
    found = [told(row) for row in rows(tcp("0 > S 0 0\n 4 > S 0 0\n 6 > S 0 0\n 7 > S 0 0"))]
    assert found == [("S0", "S", 2), ("S0", "S", 2)]


@pytest.mark.parametrize(
    ("after", "count"), [(TCP_CLOSE_DELAY - 0.1, 1), (TCP_CLOSE_DELAY + 0.1, 2)]
)
def test_closed_by_both(after: float, count: int) -> None:
    closed = HANDSHAKE + "0.3 > FA 1 1\n 0.4 < FA 1 2\n"
    found = rows(tcp(closed + f"{0.4 + after} > A 2 2"))
    assert len(found) == count
    # What comes after does not make it longer.
    assert (found[0].conn_state, found[0].duration) == ("SF", 0.4)
    assert told(found[-1]) == (("SF", "ShAFf", 6) if count == 1 else ("OTH", "A", 1))


def test_closed_by_both_while_bytes_are_missing() -> None:
    # The FIN waits for the bytes before it, which come within the time of its end.
    lines = HANDSHAKE + "0.3 > FA 101 1\n 0.4 < FA 1 1\n 0.5 > A 1 1 100\n 0.6 < A 2 102"
    (row,) = rows(tcp(lines))
    assert (row.conn_state, row.missed_bytes, row.orig_bytes) == ("SF", 0, 100)


@pytest.mark.parametrize(("after", "count"), [(299.9, 1), (300.1, 2)])
def test_idle_connections(after: float, count: int) -> None:
    found = rows(tcp(HANDSHAKE + f"{0.2 + after} > A 1 1 5"))
    assert len(found) == count
    assert TCP_INACTIVITY_TIMEOUT == 300
    assert told(found[0]) == (("S1", "ShAD", 4) if count == 1 else ("S1", "ShA", 3))


@pytest.mark.parametrize("port", [21, 22, 23, 513])
def test_connections_that_may_idle_for_long(port: int) -> None:
    lines = HANDSHAKE + "{} > A 1 1 5"
    ports = (40_000, port)
    assert len(rows(tcp(lines.format(3_600), ports))) == 1
    assert len(rows(tcp(lines.format(3_601), ports))) == 2


def test_before_a_handshake_connections_may_not_idle() -> None:
    # A reset that answers nothing leaves an end that never was past a handshake.
    found = rows(tcp("0 < R 5 0\n 61 < R 5 0"))
    assert [told(row) for row in found] == [("OTH", "R", 1), ("OTH", "R", 1)]


def test_half_closed_connections_idle_as_others_do() -> None:
    half = HANDSHAKE + "0.3 > FA 1 1\n 0.4 < A 1 2\n"
    assert len(rows(tcp(half + "299 < A 1 2 5"))) == 1
    assert len(rows(tcp(half + "301 < A 1 2 5"))) == 2


def test_after_a_reset_the_other_end_may_linger_for_a_while() -> None:
    # Timers act 5 s after the first packet, then every 6 s: at 5, 11, 17 ... where packets come.
    reset = HANDSHAKE + "0.3 > R 1 0\n"
    clock = "".join(f"{time} > S 0 0\n" for time in (5, 11, 17))
    others = [segment._replace(source=segment.source + 7) for segment in tcp(clock)]
    late = tcp("17.5 < A 1 1")
    found = [row for row in rows([*tcp(reset), *others, *late]) if row.orig[0] != others[0].source]
    assert [told(row) for row in found] == [("RSTO", "ShAR", 4), ("OTH", "A", 1)]
    early = tcp("4.9 < A 1 1")
    (row,) = rows([*tcp(reset), *early])
    assert told(row) == ("RSTO", "ShARa", 5)

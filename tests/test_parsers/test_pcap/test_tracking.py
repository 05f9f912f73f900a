"""The loop over datagrams: any sequence of them is followed, and always in the same way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.batches import ENDED, PAYLOAD
from analyzer.parsers.pcap.connections import ConnectionTable

from .segments import (
    CLIENT,
    SERVER,
    Row,
    Segment,
    batch,
    events_of,
    rows,
    rows_of,
)

ROOT = Path(__file__).parents[3]

HOSTS = st.sampled_from([CLIENT, SERVER, CLIENT + 1, 0xFFFF_E000_00FB, 0xFF02 << 112, 0])
PORTS = st.sampled_from([0, 22, 53, 80, 123, 137, 443, 5353, 8, 128, 40_000, 65_535])
NUMBERS = st.sampled_from(
    [0, 1, 2, 99, 1_000, 1_100, 70_000, 1 << 31, (1 << 32) - 1]
) | st.integers(0, (1 << 32) - 1)
STEPS = st.sampled_from([0.0, 0.01, 1.0, 3.0, 5.0, 6.0, 10.0, 61.0, 301.0, -1.0, -100.0])
PAYLOADS = st.binary(max_size=40) | st.builds(
    lambda response, rest: b"\0\1" + bytes([response]) + b"\0\0\1" + rest,
    st.integers(0, 255),
    st.binary(max_size=20),
)


@st.composite
def captures(draw: st.DrawFn) -> list[Segment]:
    """Datagrams between few ends, mostly TCP with numbers near each other."""
    now = 1e9
    segments: list[Segment] = []
    for row in range(draw(st.integers(1, 40))):
        now += draw(STEPS)
        payload = draw(PAYLOADS)
        segments.append(
            Segment(
                now,
                draw(HOSTS),
                draw(HOSTS),
                draw(PORTS),
                draw(PORTS),
                draw(st.sampled_from([6, 6, 6, 17, 17, 1, 58, 47, 255])),
                draw(st.integers(0, 255)),
                draw(NUMBERS),
                draw(NUMBERS),
                draw(st.sampled_from([0, 1_000])),
                payload,
                captured=draw(st.integers(0, len(payload))),
                ip_length=draw(st.sampled_from([None, -1, 40, 65_535])),
                claimed=draw(st.sampled_from([None, None, 0, 65_535])),
                carrier=draw(st.integers(-1, row - 1)),
                is_carrier=draw(st.sampled_from([0, 0, 0, 1])),
            )
        )
    return segments


def one_by_one(segments: list[Segment]) -> list[Row]:
    """As :func:`rows`, a datagram a batch, which has no room for its carrier."""
    table = ConnectionTable(1)
    found = []
    for segment in segments:
        found += rows_of(table, table.add(batch([segment])))
    return found + rows_of(table, table.finish())


@settings(max_examples=150, deadline=None)
@given(captures())
def test_any_datagrams_in_any_batches(segments: list[Segment]) -> None:
    found = rows(segments)
    uncarried = [segment._replace(carrier=-1) for segment in segments]
    assert one_by_one(uncarried) == found
    assert rows(uncarried, 7) == found
    for row in found:
        assert 0 <= row.missed_bytes < 1 << 33
        assert min(row.packets + row.ip_bytes) >= 0
        assert row.conn_state in {
            "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR",
            "OTH",
        }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(captures())
def test_every_datagram_is_counted_once(segments: list[Segment]) -> None:
    counted = [
        segment
        for segment in segments
        if not segment.is_carrier
        and segment.ip_length != -1
        and not (segment.protocol in {1, 58} and (segment.captured or 0) < len(segment.payload))
    ]
    found = rows(segments)
    assert sum(sum(row.packets) for row in found) == len(counted)
    sizes = batch(counted).ip_lengths.sum()
    assert sum(sum(row.ip_bytes) for row in found) == sizes


@settings(max_examples=60, deadline=None)
@given(captures())
def test_events_say_what_was_there(segments: list[Segment]) -> None:
    table = ConnectionTable(1)
    flow = table.add(batch(segments))
    assert (np.diff(np.flatnonzero(flow.kinds == ENDED)) > 0).all()
    assert flow.ended.tolist() == flow.slots[flow.kinds == ENDED].tolist()
    payloads = [segment.payload for segment in segments]
    for event in events_of(flow):
        if event.kind == PAYLOAD:
            assert event.payload
            assert any(payload.startswith(event.payload) for payload in payloads)
            assert len(event.payload) <= event.length
    assert ((flow.slots >= 0) & (flow.slots < table.field("serial").size)).all()
    assert (flow.starts + flow.captured <= flow.data.size).all()


def test_arrays_are_not_read_beyond_their_ends(tmp_path: Path) -> None:
    # numba can check that, where it compiles anew.
    if "NUMBA_BOUNDSCHECK" in os.environ:
        pytest.skip("already so")
    environment = {
        **os.environ,
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    again = [
        sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", __file__,
        str(Path(__file__).with_name("test_stream_blocks.py")),
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own interpreter
        again, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_packets_without_datagrams_move_the_clock() -> None:
    # A timer is due at 110: at 111 the connection has not been idle for long, at 114 it has.
    sent = Segment(100, destination_port=53, protocol=17, payload=b"x")
    segments = [sent._replace(time=time) for time in (100.0, 104.0, 114.0)]
    assert [row.packets for row in rows(segments)] == [(2, 0), (1, 0)]
    times = np.array([100.0, 104.0, 111.0, 114.0])
    assert [row.packets for row in rows(segments, packet_times=times)] == [(3, 0)]


def test_a_clock_that_goes_back() -> None:
    segments = [Segment(100, protocol=17), Segment(50, protocol=17), Segment(109, protocol=17)]
    (row,) = rows(segments)
    assert (row.packets, row.duration) == ((3, 0), 9.0)


def test_carriers_are_no_connections() -> None:
    gre = Segment(1, CLIENT, SERVER, 0, 0, 47, is_carrier=1)
    assert rows([gre, gre._replace(time=2)]) == []

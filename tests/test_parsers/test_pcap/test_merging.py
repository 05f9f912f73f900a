"""Several captures in one order of time."""

from __future__ import annotations

import heapq
import io
import itertools
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.container import SMALLEST_BATCH, Capture
from analyzer.parsers.pcap.merging import MEMORY, merged
from tests.test_parsers.test_pcap.capture_files import (
    Packet,
    classic,
    expected,
    header,
    pcapng,
    record,
    rows,
)

Row = tuple[float, bytes, int, int]


def at(second: int, text: bytes = b"") -> Packet:
    return Packet(second, 0, text, len(text))


def streams(*packets: list[Packet]) -> list[Capture]:
    return [
        Capture(f"{number}", ByteStream(io.BytesIO(classic(given))))
        for number, given in enumerate(packets)
    ]


def head_by_head(captures: list[list[Packet]]) -> list[Row]:
    """Always the capture whose next packet is oldest, one packet at a time.

    Among equals the one that began first, then the one that was named first.
    """
    ranked = sorted((given for given in captures if given), key=lambda given: given[0].time)
    heap = [(given[0].time, rank, 0) for rank, given in enumerate(ranked)]
    order = []
    heapq.heapify(heap)
    while heap:
        _, rank, place = heapq.heappop(heap)
        order.append(ranked[rank][place])
        if place + 1 < len(ranked[rank]):
            heapq.heappush(heap, (ranked[rank][place + 1].time, rank, place + 1))
    return expected(order)


TIMES = st.lists(st.integers(0, 12), max_size=12)


@settings(deadline=None)
@given(st.lists(TIMES, max_size=5), st.booleans())
def test_in_order_of_time(times: list[list[int]], in_order: bool) -> None:  # noqa: FBT001
    captures = [
        [
            at(second, f"{number}:{place}".encode())
            for place, second in enumerate(sorted(seconds) if in_order else seconds)
        ]
        for number, seconds in enumerate(times)
    ]
    assert rows(merged(streams(*captures))) == head_by_head(captures)


def test_a_late_packet_follows_the_one_before_it() -> None:
    one = [at(10, b"a"), at(3, b"b"), at(30, b"c")]
    two = [at(5, b"d"), at(10, b"e"), at(20, b"f")]
    found = rows(merged(streams(one, two)))
    assert b"".join(row[1] for row in found) == b"deabfc"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_they_are_given_in_does_not_matter(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    captures = {
        "a": [at(5, b"a"), at(6, b"a"), at(7, b"a")],
        "b": [at(5, b"b"), at(6, b"b"), at(9, b"b")],
        "c": [at(4, b"c"), at(5, b"c"), at(6, b"c"), at(7, b"c")],
    }
    for name, packets in captures.items():
        (tmp_path / name).write_bytes(classic(packets))
    names = [list(captures)[place] for place in order]
    given = [Capture(name, tmp_path / name) for name in names]
    found = rows(merged(given))
    assert b"".join(row[1] for row in found) == b"ccabcabcab"
    assert {capture.name: capture.packets for capture in given} == {"a": 3, "b": 3, "c": 4}


def many(seed: int, count: int, first: int, step: int) -> list[Packet]:
    chance = random.Random(seed)  # noqa: S311 - any will do
    start = first
    packets = []
    for _ in range(count):
        start += chance.randrange(step)
        packets.append(Packet(start, seed, chance.randbytes(chance.randrange(900)), 900))
    return packets


def test_captures_of_several_batches(tmp_path: Path) -> None:
    captures = [
        many(1, 8000, 1000, 5),
        many(2, 100, 5000, 200),
        many(3, 5000, 0, 3),
        many(4, 3000, 50_000, 2),
        [],
        many(5, 1, 12_345, 1),
    ]
    given = []
    for number, packets in enumerate(captures):
        (tmp_path / str(number)).write_bytes((pcapng if number % 2 else classic)(packets))
        given.append(Capture(str(number), tmp_path / str(number)))
    assert sum((tmp_path / "0").stat().st_size for _ in "a") > 6 * SMALLEST_BATCH
    found = rows(merged(given))
    assert found == sorted(
        (row for packets in captures for row in expected(packets)), key=lambda row: row[0]
    )
    assert [capture.packets for capture in given] == [len(packets) for packets in captures]


def test_link_types_and_lengths_go_along() -> None:
    one = Capture("1", ByteStream(io.BytesIO(header(link=101) + record(Packet(1, 5, b"ip", 70)))))
    two = Capture("2", ByteStream(io.BytesIO(header(link=1) + record(Packet(1, 4, b"mac", 80)))))
    assert rows(merged([one, two])) == [(1.000004, b"mac", 80, 1), (1.000005, b"ip", 70, 101)]


def test_faults_stay_with_their_captures(tmp_path: Path) -> None:
    broken = classic([at(1, b"a"), at(5, b"b")])[:-1]
    given = [
        Capture("broken", ByteStream(io.BytesIO(broken))),
        Capture("gone", tmp_path / "gone"),
        Capture("none", ByteStream(io.BytesIO(b"text"))),
        Capture("fine", ByteStream(io.BytesIO(classic([at(2, b"c"), at(6, b"d")])))),
    ]
    assert [row[1] for row in rows(merged(given))] == [b"a", b"c", b"d"]
    assert [capture.fault for capture in given] == [
        "cut off at byte 57, after packet 1",
        "cannot be read: No such file or directory",
        "neither pcap nor pcapng",
        "",
    ]


def test_one_alone_passes_through() -> None:
    packets = many(1, 3000, 0, 2)
    alone = list(merged(streams(packets)))
    assert len(alone) == 1
    assert rows(alone) == expected(packets)
    assert list(merged([])) == []


def test_captures_taken_one_after_another_are_open_one_at_a_time(tmp_path: Path) -> None:
    """And their bytes are not copied again."""
    given = []
    for number in range(40):
        file = tmp_path / f"{number}"
        file.write_bytes(classic(many(number, 20, 1000 * number, 50)))
        given.append(Capture(f"{number}", file))
    started: list[int] = []
    for batch in merged(given):
        started.append(sum(capture.packets > 0 for capture in given))
        assert np.shares_memory(batch.data[:1], batch.data.base)
    assert started == list(range(1, 41))


def test_memory_stays_small(tmp_path: Path) -> None:
    given = []
    for number in range(3):
        file = tmp_path / f"{number}"
        file.write_bytes(classic(many(number, 3000, number, 3) * 60))
        assert file.stat().st_size > MEMORY
        given.append(Capture(f"{number}", file))
    tracemalloc.start()
    assert sum(len(batch.times) for batch in merged(given)) == 3 * 60 * 3000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Tables take up to 34 bytes per 16 beside the bytes; a merged batch is a copy.
    assert peak < 5 * MEMORY

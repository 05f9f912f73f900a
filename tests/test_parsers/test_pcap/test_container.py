"""Captures of every kind, whole and damaged, beside what scapy reads of them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, PcapWriter, RawPcapNgReader, RawPcapReader

from analyzer.parsers.pcap.byte_stream import ByteStream
from analyzer.parsers.pcap.container import BATCH_SIZE, SMALLEST_BATCH, Capture
from analyzer.parsers.pcap.magic import is_capture
from tests.test_parsers.test_pcap.capture_files import (
    Packet,
    block,
    classic,
    enhanced,
    expected,
    header,
    interface,
    obsolete,
    pcapng,
    read,
    rows,
    section,
    simple,
)

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}
FORMATS: dict[str, Callable[[list[Packet]], bytes]] = {"pcap": classic, "pcapng": pcapng}
every_form = pytest.mark.parametrize("form", COMPRESS)
every_format = pytest.mark.parametrize("kind", FORMATS)


def some(count: int, longest: int = 1500) -> list[Packet]:
    chance = random.Random(count)  # noqa: S311 - any will do
    return [
        Packet(
            1_700_000_000 + number,
            chance.randrange(10**6),
            chance.randbytes(chance.randrange(longest)),
            chance.randrange(2000),
        )
        for number in range(count)
    ]


MANY = some(3000)


@every_format
@every_form
def test_files(kind: str, form: str, tmp_path: Path) -> None:
    packed = COMPRESS[form](FORMATS[kind](MANY))
    file = tmp_path / "capture"
    file.write_bytes(packed)
    told: list[int] = []
    capture = Capture("capture", file, told.append)
    assert rows(capture) == expected(MANY)
    assert (capture.packets, capture.fault, sum(told)) == (3000, "", len(packed))


@every_format
@pytest.mark.parametrize("size", [1, SMALLEST_BATCH, 1_000_003, BATCH_SIZE])
def test_batches_of_any_size(kind: str, size: int) -> None:
    data = FORMATS[kind](MANY)
    assert read(data, size) == (expected(MANY), "")
    capture = Capture("capture", ByteStream(io.BytesIO(data)))
    batches = []
    while batch := capture.read(size):
        batches.append(batch)
    bound = max(size, SMALLEST_BATCH)
    assert len(batches) == -(-len(data) // bound)
    assert all(len(batch.data) <= bound for batch in batches)
    assert sum(len(batch.times) for batch in batches) == 3000


@every_format
def test_as_scapy_writes(kind: str, tmp_path: Path) -> None:
    file = str(tmp_path / "capture")
    packets = []
    for number in range(50):
        packet = Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=number) / bytes(number)
        packet.time = 1_700_000_000 + number / 8
        packets.append(packet)
    with (PcapWriter if kind == "pcap" else PcapNgWriter)(file) as writer:
        for packet in packets:
            writer.write(packet)
    written = [(float(p.time), bytes(p), len(bytes(p)), 1) for p in packets]
    assert rows(Capture(file, Path(file))) == written


def scapy_rows(file: Path) -> list[tuple[float, bytes, int, int]]:
    """What scapy reads, with times cut to microseconds and packets at the snap length."""
    found = []
    with RawPcapReader(str(file)) as reader:
        about: Any
        for data, about in reader:
            if isinstance(reader, RawPcapNgReader):
                seconds, ticks = divmod((about.tshigh << 32) + about.tslow, about.tsresol)
                micro, link, snap = ticks * 10**6 // about.tsresol, about.linktype, len(data)
            else:
                seconds, micro = about.sec, about.usec // (1000 if reader.nano else 1)
                link, snap = reader.linktype, reader.snaplen
            found.append((seconds + micro / 1e6, data[:snap], about.wirelen, link))
    return found


def same_as_scapy(files: list[Path]) -> int:
    """How many captures are read as scapy reads them; fails at one that is not."""
    for file in files:
        capture = Capture(str(file), file)
        assert rows(capture) == scapy_rows(file), file
        assert capture.fault == "", file
    return len(files)


def test_captures_that_zeek_is_tested_with(golden: Path) -> None:
    assert same_as_scapy(sorted(golden.glob("*/capture*"))) == 437


def test_captures_of_real_traffic(data: Path) -> None:
    assert same_as_scapy(sorted(data.glob("pcap/*.pcap"))) == 22


SHORT = some(4, 60)


@every_format
@every_form
def test_every_cut_gives_what_was_before_it(kind: str, form: str) -> None:
    packed = COMPRESS[form](FORMATS[kind](SHORT))
    whole = expected(SHORT)
    for end in range(len(packed)):
        found, fault = read(packed[:end])
        assert found == whole[: len(found)]
        if form in {"plain", "gzip"} and end > len(packed) - 8:
            # The last packet's end and gzip's checksum behind it.
            assert len(found) == (4 if form == "gzip" else 3)
        boundaries = _ends(kind) if form == "plain" else ()
        assert bool(fault) == (end not in boundaries)


def _ends(kind: str) -> list[int]:
    """Where the packets of SHORT, and what goes before them, end."""
    beginnings = [SHORT[:count] for count in range(4)]
    ends = [len(FORMATS[kind](beginning)) for beginning in beginnings]
    return ends if kind == "pcap" else [len(section()), *ends]


ZOO = b"".join(
    [
        section(">"),
        interface(">", resolution=9, offset=3),
        enhanced(1, b"enhanced", 8, ">"),
        section("<"),
        interface("<", link=101, snap=100),
        interface("<", link=113, resolution=0x80 + 20),
        block(77, b"unknown"),
        obsolete(2, b"obsolete", 8, number=1),
        simple(b"simple", 6),
        enhanced(3, b"another", 8, options=bytes(12)),
    ]
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([ZOO, classic(SHORT), classic(SHORT, ">"), pcapng(SHORT)]),
    st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_damage_is_survived(data: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    found, fault = read(bytes(damaged))
    assert sum(len(row[1]) for row in found) <= len(data)
    assert len(fault) < 200


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([header(), header(">"), section("<"), section(">")]), st.binary())
def test_noise_is_survived(beginning: bytes, noise: bytes) -> None:
    found, _ = read(beginning + noise)
    assert len(found) <= len(noise) / 16


def test_every_single_bit() -> None:
    """Whatever bit is wrong, packets that stand wholly before it are there."""
    for data, kind in ((classic(SHORT), "pcap"), (pcapng(SHORT), "pcapng")):
        ends = _ends(kind)[-4:]
        for place in range(8 * len(data)):
            damaged = bytearray(data)
            damaged[place // 8] ^= 1 << place % 8
            found, _ = read(bytes(damaged))
            before = sum(end <= place // 8 for end in ends) - 1
            assert found[: max(before, 0)] == expected(SHORT)[: max(before, 0)]


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2", b"#fields\tts\n", bytes(1000)])
def test_no_capture(data: bytes) -> None:
    assert not is_capture(data)
    assert read(data) == ([], "neither pcap nor pcapng")


@every_format
def test_is_capture(kind: str) -> None:
    assert is_capture(FORMATS[kind]([]))
    assert read(FORMATS[kind]([])) == ([], "")


def test_fault_of_the_stream_and_of_the_capture() -> None:
    packed = gzip.compress(classic(MANY))
    found, fault = read(packed[: len(packed) // 2])
    before = f"gzip data ends early, after byte {len(packed) // 2}; cut off at byte "
    assert fault.startswith(before)
    assert fault.endswith(f", after packet {len(found)}")
    assert 1000 < len(found) < 2000


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    capture = Capture("gone", tmp_path / "gone")
    assert list(capture) == []
    assert capture.fault == "cannot be read: No such file or directory"
    assert capture.first_time() is None


@every_format
def test_first_time(kind: str, tmp_path: Path) -> None:
    data = FORMATS[kind](MANY)
    file = tmp_path / "capture"
    file.write_bytes(data)
    for capture in (Capture("a", file), Capture("b", ByteStream(io.BytesIO(data)))):
        assert capture.first_time() == MANY[0].time
        assert rows(capture) == expected(MANY)
        assert capture.packets == 3000
    file.write_bytes(FORMATS[kind]([]))
    assert Capture("a", file).first_time() is None


def test_pipe(tmp_path: Path) -> None:
    """What has a name like a file, but cannot be opened twice."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(classic(MANY),))
    writer.start()
    capture = Capture("pipe", pipe)
    assert capture.first_time() == MANY[0].time
    assert rows(capture) == expected(MANY)
    writer.join()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_closing_gives_the_file_back(tmp_path: Path) -> None:
    file = tmp_path / "capture"
    file.write_bytes(classic(MANY))
    capture = Capture("a", file)
    before = open_files()
    assert capture.read(SMALLEST_BATCH)
    assert open_files() == before + 1
    capture.close()
    assert open_files() == before
    assert capture.read() is None
    assert rows(Capture("a", file)) == expected(MANY)
    assert open_files() == before


@pytest.mark.parametrize("form", ["plain", "zstd"])
def test_memory_stays_small(form: str, tmp_path: Path) -> None:
    file = tmp_path / "capture"
    big = classic(some(3000) * 30)
    file.write_bytes(COMPRESS[form](big))
    assert len(big) > 4 * BATCH_SIZE
    tracemalloc.start()
    assert sum(len(batch.times) for batch in Capture("a", file)) == 90_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Two batches, as the caller holds one still, each with room for tables of 34 bytes per 16.
    assert peak < 2 * 3.5 * BATCH_SIZE

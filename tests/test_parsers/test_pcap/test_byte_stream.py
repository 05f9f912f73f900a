"""Streams into arrays: plain, compressed, begun by somebody else, broken."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
from collections.abc import Callable

import numpy as np
import pytest
from backports import zstd

from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.pcap.byte_stream import ByteStream

DATA = np.random.default_rng(1).integers(0, 64, 3_000_000, dtype=np.uint8).tobytes()
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}
PACKED = {form: compress(DATA) for form, compress in COMPRESS.items()}
every_form = pytest.mark.parametrize("form", COMPRESS)


def drained(stream: ByteStream, size: int) -> bytes:
    """All that is left, taken `size` bytes at a time."""
    taken = b""
    array = np.empty(size, np.uint8)
    while count := stream.fill(array):
        taken += array[:count].tobytes()
        assert count == size or stream.fill(np.empty(1, np.uint8)) == 0
    return taken


@every_form
@pytest.mark.parametrize("size", [999_983, 1 << 22])
def test_all_bytes_in_order(form: str, size: int) -> None:
    told: list[int] = []
    packed = PACKED[form]
    stream = ByteStream(io.BytesIO(packed), told.append)
    assert drained(stream, size) == DATA
    assert stream.fault == ""
    assert stream.consumed == sum(told) == len(packed)


@every_form
def test_fill_from_somewhere(form: str) -> None:
    stream = ByteStream(io.BytesIO(PACKED[form]))
    array = np.zeros(10, np.uint8)
    assert stream.fill(array, 4) == 6
    assert array.tobytes() == bytes(4) + DATA[:6]
    assert stream.fill(array, 10) == 0
    assert drained(stream, 1 << 22) == DATA[6:]


@every_form
def test_skip(form: str) -> None:
    stream = ByteStream(io.BytesIO(PACKED[form]))
    assert stream.skip(0) == 0
    assert stream.skip(2_500_000) == 2_500_000
    array = np.empty(3, np.uint8)
    assert stream.fill(array) == 3
    assert array.tobytes() == DATA[2_500_000:2_500_003]
    assert stream.skip(1 << 40) == len(DATA) - 2_500_003


@every_form
@pytest.mark.parametrize("taken", [1, 2])
def test_a_stream_that_somebody_has_begun(form: str, taken: int) -> None:
    told: list[int] = []
    packed = PACKED[form]
    source = io.BytesIO(packed)
    plain = PlainBytes(source, told.append)
    chunks = iter(plain)
    head = b"".join(next(chunks) for _ in range(taken))
    stream = ByteStream(source, told.append, plain=plain, head=head, chunks=chunks)
    assert drained(stream, 999_983) == DATA
    assert stream.consumed == sum(told) == len(packed)


def test_what_broke() -> None:
    stream = ByteStream(io.BytesIO(gzip.compress(DATA)[:1_000_000]))
    got = drained(stream, 1 << 20)
    assert DATA.startswith(got)
    assert len(got) > 1_000_000
    assert stream.fault == "gzip data ends early, after byte 1000000"


class Failing(io.RawIOBase):
    """Gives 300,000 bytes, then an error."""

    def __init__(self) -> None:
        self.left = 300_000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.left:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count


def test_a_stream_that_cannot_be_read_on() -> None:
    stream = ByteStream(Failing())  # type: ignore[arg-type]
    array = np.empty(1_000_000, np.uint8)
    assert stream.fill(array) == 300_000
    assert stream.fault == "cannot be read past byte 300000: Input/output error"


def test_pipes_give_less_at_once() -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as source, open(writer, "wb", 0) as sink:  # noqa: PTH123 - descriptors
        stream_bytes = DATA[:50_000]
        sink.write(stream_bytes[:20_000])
        sink.write(stream_bytes[20_000:])
        sink.close()
        assert drained(ByteStream(source), 33_333) == stream_bytes

"""Compressed streams, whole and broken."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from analyzer.parsers import compression
from analyzer.parsers.compression import CHUNK, CODECS, PlainBytes, codec_of

if TYPE_CHECKING:
    from collections.abc import Callable

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}),
}
TEXT = "".join(f"{number}\t{number * 7919 % 10007}\n" for number in range(30_000)).encode()
every_codec = pytest.mark.parametrize("name", COMPRESS)


def read(data: bytes) -> tuple[bytes, str]:
    plain = PlainBytes(io.BytesIO(data))
    chunks = list(plain)
    assert all(0 < len(chunk) <= CHUNK for chunk in chunks)
    return b"".join(chunks), plain.fault


def test_plain_bytes() -> None:
    told: list[int] = []
    plain = PlainBytes(io.BytesIO(TEXT), told.append)
    assert b"".join(plain) == TEXT
    assert (plain.codec, plain.fault, plain.consumed, sum(told)) == (None, "", len(TEXT), len(TEXT))
    assert read(b"") == (b"", "")


@every_codec
def test_codec_is_known_by_its_content(name: str) -> None:
    data = COMPRESS[name](TEXT)
    codec = codec_of(data)
    assert codec is not None
    assert codec.name == name
    assert read(data) == (TEXT, "")


@every_codec
def test_members_and_padding(name: str) -> None:
    one, two = COMPRESS[name](TEXT), COMPRESS[name](b"last\n")
    assert read(one + two) == (TEXT + b"last\n", "")
    assert read(one + b"\0" * 1000 + two + b"\0" * 600_000) == (TEXT + b"last\n", "")
    assert read(COMPRESS[name](b"") + two) == (b"last\n", "")


@every_codec
def test_something_else_after_the_end(name: str) -> None:
    data = COMPRESS[name](TEXT)
    expected = f"bytes that are no {name} follow near byte {len(data) + 4}"
    assert read(data + b"text") == (TEXT, expected)


@every_codec
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated(name: str, part: float) -> None:
    data = COMPRESS[name](TEXT)
    data = data[: int(len(data) * part)]
    plain, fault = read(data)
    assert TEXT.startswith(plain)
    # The others give what they have whole blocks of.
    assert len(plain) > len(TEXT) * part / 2 or name != "gzip"
    assert fault == f"{name} data ends early, after byte {len(data)}"


def test_damaged_gzip_gives_all_before_the_break() -> None:
    data = bytearray(gzip.compress(TEXT))
    data[-8] ^= 1
    plain, fault = read(bytes(data))
    assert plain == TEXT
    assert fault.startswith(f"gzip data is damaged near byte {len(data)}: ")
    data[len(data) // 2 : len(data) // 2 + 100] = bytes(100)
    plain, fault = read(bytes(data))
    assert plain[: len(TEXT) // 3] == TEXT[: len(TEXT) // 3]
    assert "damaged" in fault


@every_codec
def test_damage_is_a_fault(name: str) -> None:
    whole = COMPRESS[name](TEXT)
    generator = random.Random(name)  # noqa: S311 - any bytes will do
    for _ in range(20):
        data = bytearray(whole)
        data[generator.randrange(len(CODECS[0].magic), len(data))] ^= 1 << generator.randrange(8)
        plain, fault = read(bytes(data))
        assert fault or plain in (TEXT, bytes(data))


def test_memory_that_a_header_demands_is_limited() -> None:
    data = bytearray(lzma.compress(b"x"))
    # The block header stands behind 12 bytes; its fifth byte is the size of the dictionary (40 is
    # 4 GiB), its last four are a checksum.
    size = (data[12] + 1) * 4
    data[16] = 40
    data[12 + size - 4 : 12 + size] = zlib.crc32(data[12 : 12 + size - 4]).to_bytes(4, "little")
    plain, fault = read(bytes(data))
    assert (plain, fault) == (
        b"",
        f"xz data is damaged near byte {len(data)}: Memory usage limit exceeded",
    )


@pytest.mark.parametrize("name", ["bzip2", "xz", "zstd"])
def test_bomb_is_stopped(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_EXPANSION_GRACE", 4 * CHUNK)
    data = COMPRESS[name](bytes(32 << 20))
    tracemalloc.start()
    plain = PlainBytes(io.BytesIO(data))
    size = sum(map(len, plain))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    expected = f"expands more than 2000-fold by byte {len(data)}: a decompression bomb, no log"
    assert plain.fault == expected
    assert size <= max(4 * CHUNK, 2000 * len(data))
    assert peak < 16 * CHUNK


def test_stream_that_breaks() -> None:
    class Broken(io.RawIOBase):
        def __init__(self) -> None:
            self.left = 2

        def read(self, size: int = -1, /) -> bytes:
            self.left -= 1
            if not self.left:
                raise OSError(5, "Input/output error")
            return b"x" * size

    plain = PlainBytes(Broken())  # type: ignore[arg-type]
    size = sum(map(len, plain))
    assert plain.fault == f"cannot be read past byte {size}: Input/output error"

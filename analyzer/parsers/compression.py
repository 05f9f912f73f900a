"""Compressed or not: a stream of plain bytes, as far as it goes, and where it broke."""

from __future__ import annotations

import bz2
import contextlib
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from backports import zstd

CHUNK = 1 << 20
"""Most plain bytes handed on at once, so that no input can make us hold more."""

_READ = 1 << 18

# Zeek logs shrink 5 to 30 times; even a log of one repeated row stays under gzip's ceiling of
# 1,032. zstd and xz have no such ceiling, so a small file could fill any disk.
EXPANSION_LIMIT = 2000
_EXPANSION_GRACE = 1 << 28


class _Decoder(Protocol):
    """What bz2, lzma and zstd decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _GzipDecoder:
    """zlib's decompressor behind the interface of the others.

    zlib raises on damage and keeps to itself what it got out before; here that is handed on first.
    """

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self._error: zlib.error | None = None

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return self._error is None and not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._error:
            raise self._error
        data = self._zlib.unconsumed_tail + data
        before = self._zlib.copy()
        try:
            return self._zlib.decompress(data, max(max_length, 0))
        except zlib.error as error:
            self._error = error
        plain = bytearray()
        with contextlib.suppress(zlib.error):
            for byte in data:
                plain += before.decompress(bytes([byte]))
        return bytes(plain)


@dataclass(frozen=True, slots=True)
class Codec:
    """A way of compressing: its name, the bytes its files start with, its decoder."""

    name: str
    magic: bytes
    decoder: Callable[[], _Decoder]


# What xz -9 needs is 65 MiB; a file may demand 4 GiB.
_MEMORY_LIMIT = 1 << 28

CODECS = (
    Codec("gzip", b"\x1f\x8b", _GzipDecoder),
    Codec("bzip2", b"BZh", bz2.BZ2Decompressor),
    Codec("xz", b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(memlimit=_MEMORY_LIMIT)),
    Codec("zstd", b"\x28\xb5\x2f\xfd", zstd.ZstdDecompressor),
)

_FAULTS = (zlib.error, OSError, lzma.LZMAError, zstd.ZstdError, EOFError, ValueError)


def codec_of(head: bytes) -> Codec | None:
    """The codec that made a file that starts with `head`; None for plain bytes."""
    return next((codec for codec in CODECS if head.startswith(codec.magic)), None)


class PlainBytes:
    """The plain bytes of a stream, decompressed as they come.

    Iterating yields chunks of at most :data:`CHUNK` bytes. A broken stream yields all that came
    before the break and leaves what was wrong in :attr:`fault`.

    Attributes:
        fault: where and how the stream broke, empty while it has not.
        consumed: bytes taken from the underlying stream so far.
        codec: how the stream is compressed, None if it is not.
    """

    def __init__(self, stream: IO[bytes], on_progress: Callable[[int], None] | None = None) -> None:
        self._stream = stream
        self._on_progress = on_progress
        self.fault = ""
        self.consumed = 0
        self._head = self._read()
        self.codec = codec_of(self._head)

    def _read(self) -> bytes:
        try:
            data = self._stream.read(_READ)
        except OSError as error:
            self.fault = f"cannot be read past byte {self.consumed}: {error.strerror or error}"
            return b""
        self.consumed += len(data)
        if self._on_progress and data:
            self._on_progress(len(data))
        return data

    def __iter__(self) -> Iterator[bytes]:
        if self.codec is None:
            data = self._head
            while data:
                yield data
                data = self._read()
            return
        yield from self._expand(self.codec)

    def _expand(self, codec: Codec) -> Iterator[bytes]:
        decoder = codec.decoder()
        data, expanded = self._head, 0
        while True:
            try:
                plain = decoder.decompress(data, CHUNK)
            except _FAULTS as error:
                self.fault = f"{codec.name} data is damaged near byte {self.consumed}: {error}"
                return
            expanded += len(plain)
            if expanded > _EXPANSION_GRACE and expanded > EXPANSION_LIMIT * self.consumed:
                self.fault = (
                    f"expands more than {EXPANSION_LIMIT}-fold by byte {self.consumed}: "
                    "a decompression bomb, no log"
                )
                return
            if plain:
                yield plain
            data = b""
            if decoder.eof:
                # Members may follow each other (cat a.gz b.gz), and padding may follow the last.
                data = decoder.unused_data.lstrip(b"\0") or self._past_padding()
                if not data:
                    return
                if not data.startswith(codec.magic[: len(data)]):
                    self.fault = f"bytes that are no {codec.name} follow near byte {self.consumed}"
                    return
                decoder = codec.decoder()
            elif decoder.needs_input:
                data = self._read()
                if not data:
                    self.fault = self.fault or (
                        f"{codec.name} data ends early, after byte {self.consumed}"
                    )
                    return

    def _past_padding(self) -> bytes:
        while data := self._read():
            if stripped := data.lstrip(b"\0"):
                return stripped
        return b""

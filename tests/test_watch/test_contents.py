"""Plain bytes from any place on, of files that grow and of compressed ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.watch.contents import Content, whole_lines

TEXT = b"".join(b"line %d\n" % number for number in range(300_000))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_any_place_can_be_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "log"
    path.write_bytes(pack(TEXT))
    content = Content(str(path))
    assert content.is_compressed == (pack is not bytes)
    assert content.begins() == TEXT[:4096]
    assert content.read(2_000_000, 50) == TEXT[2_000_000:2_000_050]
    assert content.read(10, 20) == TEXT[10:30]
    assert content.read(len(TEXT) - 5, 100) == TEXT[-5:]
    assert content.read(len(TEXT) + 5, 100) == b""
    assert content.read(0, len(TEXT) + 1) == TEXT
    assert (content.fault, content.is_whole) == ("", pack is not bytes)
    content.close()


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 5000)), max_size=8))
def test_reading_here_and_there(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "places.gz"
    path.write_bytes(gzip.compress(TEXT[:4000]) + gzip.compress(TEXT[4000:5000]))
    content = Content(str(path))
    for offset, size in places:
        assert content.read(offset, size) == TEXT[:5000][offset : offset + size]
    content.close()


def test_compressed_data_that_are_still_being_written(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    packed = gzip.compress(TEXT)
    path.write_bytes(packed[: len(packed) // 2])
    content = Content(str(path))
    begins = content.read(0, len(TEXT))
    assert TEXT.startswith(begins)
    assert 0 < len(begins) < len(TEXT)
    assert "ends early" in content.fault
    assert not content.is_whole
    path.write_bytes(packed)
    content.again()
    assert content.read(len(begins), len(TEXT)) == TEXT[len(begins) :]
    assert (content.fault, content.is_whole) == ("", True)
    content.close()


def test_it_stays_readable_when_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\n")
    content = Content(str(path))
    path.unlink()
    assert content.read(0, 10) == b"a\n"
    assert content.state.st_size == 2
    content.close()


def test_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a\nb\nc")
    content = Content(str(path))
    assert whole_lines(content, 0, 100) == (b"a\nb\n", 0)
    assert whole_lines(content, 4, 100) == (b"", 0)
    content.close()
    path.write_bytes(gzip.compress(b"a\nb\nc"))
    content = Content(str(path))
    assert whole_lines(content, 0, 100) == (b"a\nb\n", 0)
    assert whole_lines(content, 4, 100) == (b"c", 0)
    content.close()


@pytest.mark.parametrize("length", [LINE_LIMIT + 1, 3 * LINE_LIMIT])
def test_a_line_too_long_is_left_out_once_it_has_ended(tmp_path: Path, length: int) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * length)
    content = Content(str(path))
    assert whole_lines(content, 0, 100) == (b"", 0)
    path.write_bytes(b"x" * length + b"\nb\n")
    assert whole_lines(content, 0, 100) in [(b"", length + 1), (b"x" * length + b"\nb\n", 0)]
    content.close()


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Content(str(tmp_path / "none"))

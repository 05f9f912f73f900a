"""Rows gathered until there are enough of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.errors import ResourceError
from analyzer.parsers import spool as spool_module
from analyzer.parsers.blocks import Rows
from analyzer.parsers.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path


def test_source_lines(tmp_path: Path) -> None:
    seen: list[tuple[bytes, list[int]]] = []

    def keep(full: Spool) -> None:
        lines = [full.source_line(index) for index in range(full.lines)]
        assert full.source_lines(0, full.lines).tolist() == lines
        seen.append((full.path.read_bytes(), lines))

    spool = Spool(tmp_path / "rows", keep)
    spool.flush()
    assert seen == []
    spool.add(Rows(b"a\nb\n", 3, 2))
    spool.add(Rows(b"c\n", 9, 1))
    spool.flush()
    spool.add(Rows(b"d\ne", 20, 2))
    spool.flush()
    spool.flush()
    assert seen == [(b"a\nb\nc\n", [3, 4, 9]), (b"d\ne", [20, 21])]
    spool.close()
    assert not (tmp_path / "rows").exists()


def test_full_spool_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "BLOCK_SIZE", 4)
    loaded: list[int] = []
    spool = Spool(tmp_path / "rows", lambda full: loaded.append(full.lines))
    for number in range(5):
        spool.add(Rows(b"xx\n", number, 1))
    assert (loaded, spool.lines) == ([2, 2], 1)
    spool.close()


def test_full_disk_is_not_the_input_s_fault(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    spool = Spool(full, lambda _: None)
    with pytest.raises(ResourceError, match=r"temporary files cannot be written \(No space left"):
        spool.add(Rows(b"x" * 100_000 + b"\n", 1, 1))
    spool.close()
    with pytest.raises(ResourceError, match="No such file"):
        Spool(tmp_path / "absent" / "rows", lambda _: None)

"""Atomic replacement of files."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from analyzer.atomic import atomic_write
from analyzer.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_writes_utf8_with_line_feeds_and_creates_directories(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.log"
    with atomic_write(path) as stream:
        stream.write("è\n")
        assert not path.exists()
    assert path.read_bytes() == b"\xc3\xa8\n"
    assert _names(path.parent) == ["x.log"]


def test_mode_is_that_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with atomic_write(tmp_path / "private"):
            pass
        os.umask(0o022)
        with atomic_write(tmp_path / "public"):
            pass
        with atomic_write(tmp_path / "asked", mode=0o600):
            pass
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"private": 0o600, "public": 0o644, "asked": 0o600}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failure_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "x.log"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as stream:  # noqa: PT012 - it fails half way
        stream.write("new")
        raise error
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["x.log"]


def test_full_disk_is_an_output_error_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "x.log"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught, atomic_write(path) as stream:
        stream.write("new")
    assert str(caught.value) == f"{path}: cannot be written: No space left on device"
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["x.log"]


def test_refuses_what_is_no_regular_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory"), atomic_write(tmp_path):
        pass
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match=r"pipe: is not a regular file"), atomic_write(pipe):
        pass
    assert _names(tmp_path) == ["pipe"]


def test_a_parent_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match=r"file/x\.log: cannot"),
        atomic_write(tmp_path / "file" / "x.log"),
    ):
        pass


def test_a_symbolic_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "elsewhere" / "target"
    link.symlink_to(target)
    for content in ("first", "second"):
        with atomic_write(link) as stream:
            stream.write(content)
        assert link.is_symlink()
        assert target.read_text() == content


def test_a_loop_of_links_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OutputError, match="symbolic links"), atomic_write(tmp_path / "loop"):
        pass

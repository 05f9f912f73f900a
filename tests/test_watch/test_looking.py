"""Which files there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzer.watch.looking import Lookout, Seen, file_size


def names(lookout: Lookout, top: Path, now: float = 1e10) -> list[str]:
    return [os.path.relpath(seen.path, top) for seen in lookout.look(now)]


def test_files_in_a_fixed_order_each_once(tmp_path: Path) -> None:
    for name in ("b/x.log", "a.log", "b/.hidden", ".state/y.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "current").symlink_to("b")
    (tmp_path / "round").symlink_to(".")
    (tmp_path / "copy.log").hardlink_to(tmp_path / "a.log")
    (tmp_path / "nowhere").symlink_to("none")
    os.mkfifo(tmp_path / "pipe")
    assert names(Lookout([tmp_path]), tmp_path) == ["a.log", "b/x.log"]


def test_excluded_directories(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notice.log").write_text("")
    assert names(Lookout([tmp_path], [tmp_path / "out"]), tmp_path) == []


def test_what_comes_and_goes_is_seen(tmp_path: Path) -> None:
    lookout = Lookout([tmp_path])
    assert names(lookout, tmp_path) == []
    (tmp_path / "a.log").write_text("1")
    os.utime(tmp_path, (5, 5))
    assert names(lookout, tmp_path) == ["a.log"]
    (tmp_path / "a.log").rename(tmp_path / "b.log")
    os.utime(tmp_path, (6, 6))
    assert names(lookout, tmp_path) == ["b.log"]


def test_growth_is_seen_in_a_directory_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("1")
    lookout = Lookout([tmp_path])
    assert [seen.size for seen in lookout.look(1e10)] == [1]
    path.write_text("12")
    assert [seen.size for seen in lookout.look(1e10)] == [2]


def test_a_file_at_rest_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("1")
    lookout = Lookout([tmp_path])
    (seen,) = lookout.look(1e10)
    lookout.rest(seen)
    path.write_text("12")
    os.utime(tmp_path, ns=(tmp_path.stat().st_atime_ns, tmp_path.stat().st_mtime_ns))
    assert list(lookout.look(1e10)) == [seen]
    os.utime(tmp_path, (5, 5))
    assert [seen.size for seen in lookout.look(1e10)] == [2]


def test_names_may_change_within_a_tick(tmp_path: Path) -> None:
    lookout = Lookout([tmp_path])
    moment = tmp_path.stat().st_mtime
    assert names(lookout, tmp_path, moment) == []
    (tmp_path / "a.log").write_text("")
    os.utime(tmp_path, (moment, moment))
    assert names(lookout, tmp_path, moment) == ["a.log"]


def test_what_cannot_be_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.log").write_text("")
    scan = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    lookout = Lookout([tmp_path])
    assert names(lookout, tmp_path) == ["a.log"]
    assert lookout.faults == {str(tmp_path / "closed"): "Permission denied"}
    monkeypatch.undo()
    assert names(lookout, tmp_path) == ["a.log"]
    assert lookout.faults == {}


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    lookout = Lookout([tmp_path / "none"])
    assert names(lookout, tmp_path) == []
    assert lookout.faults == {str(tmp_path / "none"): "No such file or directory"}


def test_sizes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("123")
    assert [file_size(tmp_path / name) for name in ("a", "b", ".")] == [3, 0, 0]


def test_what_was_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("12")
    os.utime(path, ns=(7, 7))
    state = path.stat()
    assert list(Lookout([tmp_path]).look(0.0)) == [
        Seen(str(path), (state.st_dev, state.st_ino), 2, 7)
    ]

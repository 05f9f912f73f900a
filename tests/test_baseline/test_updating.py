"""Changing a baseline's file while others change it, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import read_baseline, write_baseline
from analyzer.baseline.updating import update_baseline
from analyzer.errors import BaselineError, OutputError

from . import FIRST, assert_same, days, small


def test_a_new_file_and_a_changed_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x"
    made = update_baseline(path, lambda before: before, start=small)
    assert_same(read_baseline(path), made)
    after = update_baseline(path, lambda before: before.joined({"days": days(FIRST + 1)}))
    assert read_baseline(path).days == after.days == [FIRST, FIRST + 1]


def test_nothing_changed_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_baseline(small(), path)
    before = path.stat()
    update_baseline(path, lambda baseline: baseline)
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_what_others_write_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_baseline(small(), path)
    seen = []

    def change(before: Baseline) -> Baseline:
        seen.append(before.days)
        if len(seen) == 1:
            write_baseline(before.joined({"days": days(FIRST + 1)}), path)
        return before.joined({"days": days(FIRST + 2)})

    after = update_baseline(path, change)
    assert seen == [[FIRST], [FIRST, FIRST + 1]]
    assert read_baseline(path).days == after.days == [FIRST, FIRST + 1, FIRST + 2]


def test_a_file_that_others_make_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x"

    def change(before: Baseline) -> Baseline:
        if not before.days:
            write_baseline(small(), path)
        return before.joined({"days": days(FIRST + 2)})

    assert update_baseline(path, change, start=Baseline).days == [FIRST, FIRST + 2]


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="gone: cannot be read"):
        update_baseline(tmp_path / "gone", lambda baseline: baseline)
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(BaselineError, match="is no baseline"):
        update_baseline(tmp_path / "file", lambda baseline: baseline, start=Baseline)
    with pytest.raises(OutputError, match="cannot be written"):
        update_baseline(tmp_path / "file" / "x", lambda baseline: baseline, start=Baseline)


def test_a_link_stays_one(tmp_path: Path) -> None:
    write_baseline(small(), tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    update_baseline(tmp_path / "link", lambda before: before.joined({"days": days(FIRST + 1)}))
    assert (tmp_path / "link").is_symlink()
    assert read_baseline(tmp_path / "real").days == [FIRST, FIRST + 1]

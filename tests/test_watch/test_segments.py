"""Rows of the window as files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.engine import Engine
from analyzer.watch.following import Portion
from analyzer.watch.segments import Segments
from analyzer.watch.state import Segment
from analyzer.watch.streams import Kind, Stream, header_after
from benchmarks.measure import ROOT

from .test_following import header, json_row, row

NOW = 1e9


@pytest.fixture
def segments(tmp_path: Path) -> Iterator[Segments]:
    held = Segments(tmp_path / "window", memory_limit="100MB", threads=1)
    yield held
    held.close()


def portion(
    data: str,
    *,
    above: str = header(1),
    lines: int = 0,
    overlong: int = 0,
    path: str = "conn.log",
) -> Portion:
    kind: Kind = "json" if data.startswith("{") else "tsv"
    before = Stream(
        number=1,
        kind=kind,
        head="",
        head_size=0,
        lines=lines,
        header=header_after(b"", above.encode()) if kind == "tsv" else b"",
    )
    return Portion(before, before, data.encode(), overlong, path, 0.0)


def uids(segments: Segments, *chosen: Segment) -> list[str]:
    with Engine(threads=1) as engine:
        segments.attach(engine, chosen)
        rows = engine.connection.execute("SELECT uid FROM conn ORDER BY uid").fetchall()
        return [uid for (uid,) in rows]


def written(segments: Segments, data: str, number: int = 1) -> Segment:
    segments.load(portion(data))
    segment = segments.write(number, NOW, 7.0)
    segments.clear()
    assert segment is not None
    return segment


def test_rows_in_the_middle_of_a_log(segments: Segments) -> None:
    account = segments.load(portion(row(1) + row(2), lines=10))
    assert (account.read, account.lines) == ({"conn": 2}, 2)
    segment = segments.write(3, NOW, 7.0)
    assert segment is not None
    assert segment == replace(segment, number=3, counts={"conn": 2}, first=1.0, last=3.0)
    assert segment.size > 0
    assert not segment.judged
    assert uids(segments, segment) == ["C1", "C2"]


def test_json_rows(segments: Segments) -> None:
    assert uids(segments, written(segments, json_row(1) + json_row(2))) == ["C1", "C2"]


def test_lines_are_numbered_as_in_the_whole_log(segments: Segments) -> None:
    account = segments.load(portion(row(1) + "nonsense\n", lines=10))
    assert [str(problem) for problem in account.examples] == [
        "conn.log:12: expected the 8 columns of #fields (found 1)"
    ]
    account = segments.load(portion("{}\n{no\n" + json_row(1), lines=20))
    assert [problem.location.line for problem in account.examples] == [21, 22]


def test_an_overlong_line_is_counted(segments: Segments) -> None:
    account = segments.load(portion("nonsense\n", lines=10, overlong=2_000_000))
    assert [problem.location.line for problem in account.examples] == [11, 12]
    assert account.skipped.total() == 2


def test_no_rows_make_no_segment(segments: Segments) -> None:
    segments.load(portion("nonsense\n"))
    assert segments.write(1, NOW, 7.0) is None


def test_what_was_cleared_is_not_written(segments: Segments) -> None:
    segments.load(portion(row(1)))
    segments.clear()
    assert segments.write(1, NOW, 7.0) is None


def test_a_wrong_clock_does_not_count(segments: Segments) -> None:
    segment = written(segments, row(2_000_000_000))
    assert (segment.first, segment.last) == (NOW, NOW)


def test_rows_without_a_time_are_of_now(segments: Segments) -> None:
    segment = written(segments, '{"uid":"C1","server_name":"a.example","established":true}\n')
    assert (segment.counts, segment.first, segment.last) == ({"ssl": 1}, 7.0, 7.0)


def test_joining(segments: Segments) -> None:
    parts = [written(segments, row(number), number) for number in (1, 2)]
    joined = segments.join(5, parts)
    assert joined == replace(
        joined, number=5, counts={"conn": 2}, first=1.0, last=3.0, judged=False
    )
    assert uids(segments, joined) == ["C1", "C2"]
    assert segments.join(6, [replace(part, judged=True) for part in parts]).judged


def test_files_are_the_owners_alone_and_go(segments: Segments, tmp_path: Path) -> None:
    one, two = (written(segments, row(number), number) for number in (1, 2))
    files = sorted((tmp_path / "window").iterdir())
    assert [file.name for file in files] == ["0000000001-conn.parquet", "0000000002-conn.parquet"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "window").stat().st_mode) == 0o700
    segments.remove_others([two])
    assert (segments.are_there(one), segments.are_there(two)) == (False, True)
    segments.remove([one, two])
    assert list((tmp_path / "window").iterdir()) == []


def test_what_could_not_be_kept_is_not_left_behind(segments: Segments, tmp_path: Path) -> None:
    assert written(segments, row(1)).counts == {"conn": 1}
    segments.clear()
    segments.load(portion(state(2, 1.0), path="/zeek/open_conn.log"))
    assert segments.write(1, 1e10, 0.0) is not None
    assert [each.name for each in tmp_path.rglob("*.parquet")] == ["0000000001-open_conn.parquet"]


def test_no_segments_are_no_rows(segments: Segments) -> None:
    assert uids(segments) == []


def test_the_layout_is_the_same_in_every_process(segments: Segments, tmp_path: Path) -> None:
    told = (
        "import pathlib, analyzer.watch.segments as s;"
        f"print(s.Segments(pathlib.Path({str(tmp_path / 'other')!r}),"
        "memory_limit='100MB', threads=1).layout)"
    )
    for seed in ("1", "2"):
        layout = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-c", told],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        assert layout.strip() == segments.layout


def state(number: int, duration: float) -> str:
    return row(number).replace("1.000000\n", f"{duration:.6f}\n")


def lasted(segments: Segments, *chosen: Segment, **options: object) -> dict[str, float]:
    with Engine(threads=1) as engine:
        segments.attach(engine, chosen, **options)  # type: ignore[arg-type]
        rows = engine.connection.execute("SELECT uid, duration FROM conn").fetchall()
        assert len(rows) == len(dict(rows))
        return dict(rows)


def test_open_connections_count_as_they_were_last_seen(segments: Segments) -> None:
    parts = []
    for number, states in enumerate(([(1, 5.0), (2, 6.0)], [(1, 9.0), (3, 1.0)]), start=1):
        text = "".join(state(*each) for each in states)
        segments.load(portion(text, path="/zeek/2026-01-19/open_conn.1.log.gz"))
        part = segments.write(number, NOW, 7.0)
        segments.clear()
        assert part is not None
        assert part.counts == {"open_conn": 2}
        # They are of when they were seen.
        assert (part.first, part.last) == ((6.0, 8.0) if number == 1 else (4.0, 10.0))
        parts.append(part)
    assert lasted(segments, *parts) == {"C1": 9, "C2": 6, "C3": 1}
    assert lasted(segments, *parts, hosts=["10.0.0.9"]) == {}
    ended = written(segments, state(2, 20.0) + state(4, 2.0), 3)
    assert lasted(segments, *parts, ended) == {"C1": 9, "C2": 20, "C3": 1, "C4": 2}
    assert lasted(segments, *parts, ended, hosts=["10.0.0.1"]) == lasted(segments, *parts, ended)
    joined = segments.join(4, [*parts, ended])
    assert joined.counts == {"conn": 2, "open_conn": 3}
    assert lasted(segments, joined) == {"C1": 9, "C2": 20, "C3": 1, "C4": 2}
    only_ended = lasted(segments, joined, logs=("conn", "dns", "open_conn"))
    assert only_ended == {"C2": 20, "C4": 2}

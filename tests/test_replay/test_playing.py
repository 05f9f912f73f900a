"""Replays as a whole: every row once, in order, and nothing found otherwise."""

from __future__ import annotations

import itertools
import json
import math
import random
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analyzer
from analyzer.errors import EmptyInputError, OptionError, OutputError
from analyzer.replay import replay
from analyzer.replay.ordering import OrderedRows
from analyzer.replay.playing import _shielded
from analyzer.replay.reading import Row
from tests.traffic import office

from . import FIELDS, NOON, TYPES, conn_row, data_rows, tsv

SOME = [
    conn_row(NOON + 10, 500.0, "C-long"),
    conn_row(NOON + 20, 1.0, "C-short"),
    conn_row(NOON + 30, None, "C-none"),
    conn_row(NOON + 3700, 2.0, "C-late"),
]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    directory = tmp_path / "logs"
    directory.mkdir()
    (directory / "conn.log").write_text(tsv(*SOME))
    (directory / "dns.log").write_text(
        tsv(f"{NOON + 25:.6f}\tD1", name="dns", fields=FIELDS[:2], types=TYPES[:2])
    )
    return directory


def files(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def set_cells(log: Path) -> list[list[tuple[str, str]]]:
    """The cells of each row that are set, with their columns, in order of time."""
    lines = log.read_text("utf-8").splitlines()
    fields = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    cells = (sorted(zip(fields, row, strict=True)) for row in rows)
    return sorted([(name, cell) for name, cell in row if cell != "-"] for row in cells)


def test_in_the_order_in_which_zeek_logged_them(logs: Path, tmp_path: Path) -> None:
    done = replay(logs, tmp_path / "out")
    assert files(tmp_path / "out").keys() == {"conn.log", "dns.log"}
    text = (tmp_path / "out" / "conn.log").read_text()
    closed = "#close\t2026-01-19-13-01-42\n"
    rows = [SOME[1], SOME[2], SOME[0], SOME[3]]
    assert text == tsv(*rows).replace("11-00-00", "12-00-21") + closed
    assert (done.first, done.last, done.rotations) == (NOON + 21, NOON + 3702, 0)
    assert done.account.read == {"conn": 4, "dns": 1}


@pytest.mark.parametrize("kind", ["tsv", "json"])
def test_every_row_once_and_nothing_found_otherwise(tmp_path: Path, kind: str) -> None:
    traffic = office(3, hosts=16, days=0.3, attacks=["address_scan", "dns_tunnel"])
    traffic.write(tmp_path / "logs", format=kind, compression=None, rotate=None)
    before = data_rows(tmp_path / "logs")
    done = replay(tmp_path / "logs", tmp_path / "out", rotate=3600)
    assert done.account.skipped.total() == 0
    after = data_rows(tmp_path / "out")
    assert len(after) == len(before) > 1000
    assert sorted(after) == sorted(before)
    assert len(files(tmp_path / "out")) > 10
    if kind == "json":
        return
    one, other = (analyzer.analyze(tmp_path / name) for name in ("logs", "out"))
    assert [f.as_dict() for f in one.findings] == [f.as_dict() for f in other.findings]
    assert {finding.rule for finding in one.findings} >= {"address_scan", "dns_tunnel"}


REST = st.binary(max_size=12).filter(lambda data: not set(data) & set(b"\r\n"))
LINES = st.lists(st.tuples(st.integers(0, 20_000), REST), max_size=30)


@settings(max_examples=15, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=3), st.sampled_from([None, 1, 60, 3600]))
def test_whatever_rows_hold(files_of_rows: list[list[tuple[int, bytes]]], rotate: int) -> None:
    given_rows = [
        [f"{NOON + second}\t".encode() + rest for second, rest in rows] for rows in files_of_rows
    ]
    every = Counter(row for rows in given_rows for row in rows)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for number, rows in enumerate(given_rows):
            text = tsv(fields=("ts", "rest"), types=("time", "string"), name="some").encode()
            file = directory / f"{number}.log"
            file.write_bytes(text + b"".join(row + b"\n" for row in rows))
        if not every:
            with pytest.raises(EmptyInputError):
                replay(directory, directory / "out")
            return
        replay(directory, directory / "out", rotate=rotate)
        found: list[bytes] = []
        for file in sorted((directory / "out").iterdir()):
            *_, head, kinds = file.read_bytes().split(b"\n", 8)[:8]
            assert (head, kinds) == (b"#fields\tts\trest", b"#types\ttime\tstring")
            *lines, close, end = file.read_bytes().split(b"\n")[8:]
            assert close.startswith(b"#close\t")
            assert end == b""
            found += lines
    assert Counter(found) == every
    times = [line.split(b"\t")[0] for line in found]
    assert times == sorted(times)


def test_in_the_other_format_the_same_is_found(tmp_path: Path) -> None:
    traffic = office(3, hosts=16, days=0.3, attacks=["address_scan"])
    traffic.write(tmp_path / "tsv")
    replay(tmp_path / "tsv", tmp_path / "json", format="json")
    replay(tmp_path / "json", tmp_path / "again", format="tsv")
    reports = [analyzer.analyze(tmp_path / name) for name in ("tsv", "json")]
    found = [[finding.as_dict() for finding in report.findings] for report in reports]
    assert found[0] == found[1] != []
    # Columns that no row sets are gone, all else is as it was.
    for name in ("conn.log", "dns.log", "ssl.log"):
        assert set_cells(tmp_path / "again" / name) == set_cells(tmp_path / "tsv" / name)


def test_the_same_whatever_the_speed(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay(logs, tmp_path / "max", rotate=600)
    slept: list[float] = []
    monkeypatch.setattr("analyzer.replay.clock.time.sleep", slept.append)
    monkeypatch.setattr("analyzer.replay.clock.time.monotonic", lambda: sum(slept))
    replay(logs, tmp_path / "paced", rotate=600, speed=60.0)
    assert files(tmp_path / "paced") == files(tmp_path / "max")
    assert sum(slept) == pytest.approx(3681 / 60, abs=0.2)


def test_rows_appear_when_they_are_due(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 0.0
    seen: list[tuple[float, int, list[str]]] = []
    out = tmp_path / "out"

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        seen.append((passed, len(data_rows(out)), sorted(file.name for file in out.iterdir())))

    monkeypatch.setattr("analyzer.replay.clock.time.sleep", sleep)
    monkeypatch.setattr("analyzer.replay.clock.time.monotonic", lambda: passed)
    replay(logs, out, rotate=3600, speed=100.0)
    # At 100 times, from 12:00:21 on: rows at 12:00:25, 12:00:30, 12:08:30 and 13:01:42.
    counts = {round(at, 2): rows for at, rows, _ in seen}
    assert max(rows for at, rows in counts.items() if at < 4) <= 3
    assert all(rows == 3 for at, rows in counts.items() if 0.5 < at < 4.8)
    assert all(rows == 4 for at, rows in counts.items() if 6 < at < 36)
    # The hour is over 35.79 s after the start, and nobody waits for a row to rotate.
    before = next(names for at, _, names in seen if at > 30)
    after = next(names for at, _, names in seen if at > 36)
    assert before == ["conn.log", "dns.log"]
    assert after == ["conn.2026-01-19-12-00-21.log", "dns.2026-01-19-12-00-25.log"]


def test_as_of_another_time(logs: Path, tmp_path: Path) -> None:
    done = replay(logs, tmp_path / "out", begin=NOON + 86400.5)
    assert (done.first, done.last) == (NOON + 86400.5, NOON + 86400.5 + 3681)
    later = 86400.5 - 21
    rows = (tmp_path / "out" / "conn.log").read_text().splitlines()
    assert rows[5] == "#open\t2026-01-20-12-00-00"
    assert rows[8] == conn_row(NOON + 20 + later, 1.0, "C-short")


def test_a_change_of_columns(tmp_path: Path) -> None:
    new_fields, new_types = (*FIELDS, "ip_proto"), (*TYPES, "count")
    for name, text in {
        "a.log": tsv(conn_row(NOON)),
        "b.log": tsv(f"{conn_row(NOON + 60)}\t6", fields=new_fields, types=new_types),
    }.items():
        (tmp_path / name).write_text(text)
    replay([tmp_path / "b.log", tmp_path / "a.log"], tmp_path / "out")
    assert list(files(tmp_path / "out")) == [
        "conn.2026-01-19-12-00-00.log",
        "conn.log",
    ]
    # Back and forth they cannot be one log as it is, but they can in one format.
    (tmp_path / "c.log").write_text(tsv(conn_row(NOON + 120)))
    three = [tmp_path / name for name in ("a.log", "b.log", "c.log")]
    with pytest.raises(OptionError, match=r"conn logs of different columns .* overlap in time"):
        replay(three, tmp_path / "no")
    replay(three, tmp_path / "one", format="tsv")
    assert [row.split("\t")[-1] for row in data_rows(tmp_path / "one")] == ["-", "6", "-"]


def test_an_interruption_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [conn_row(NOON + index / 10, uid=f"C{index}") for index in range(200_000)]
    random.Random(1).shuffle(rows)  # noqa: S311 - rows, not secrets
    (tmp_path / "conn.log").write_text(tsv(*rows))
    out = tmp_path / "out"
    all_batches = OrderedRows.batches

    def interrupted(ordered: OrderedRows) -> Iterator[list[Row]]:
        yield from itertools.islice(all_batches(ordered), 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(OrderedRows, "batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replay(tmp_path / "conn.log", out, rotate=86400)
    # Rotated as by a Zeek that is stopped: what was written is there, whole and in order.
    (file,) = out.iterdir()
    assert file.name == "conn.2026-01-19-12-00-00.log"
    lines = file.read_text().splitlines()
    assert lines[-1].startswith("#close\t")
    kept = [line.split("\t")[1] for line in lines if not line.startswith("#")]
    assert kept == [f"C{index}" for index in range(len(kept))]
    assert len(kept) == 2 << 15


@pytest.mark.parametrize("other_thread", [False, True])
def test_a_signal_waits_until_rows_are_written(*, other_thread: bool) -> None:
    done = False

    def interrupt() -> None:
        if other_thread:
            thread = threading.Thread(target=signal.raise_signal, args=(signal.SIGINT,))
            thread.start()
            thread.join()
        else:
            signal.raise_signal(signal.SIGINT)

    # Whoever runs the tests in the background has had it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with _shielded():
            interrupt()
            done = True
        pytest.fail("the signal was lost")
    except KeyboardInterrupt:
        assert done
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        with _shielded():
            pass
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"speed": 0.0}, "speed 0: expected a number above 0"),
        ({"speed": math.nan}, "speed nan: expected a number above 0"),
        ({"rotate": 0.5}, "rotate 0.5: expected at least a second"),
        ({"memory_limit": "much"}, "memory limit 'much'"),
    ],
)
def test_options_that_make_no_sense(
    logs: Path, tmp_path: Path, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(OptionError, match=complaint):
        replay(logs, tmp_path / "out", **options)  # type: ignore[arg-type]


def test_nothing_to_replay(tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text(tsv())
    with pytest.raises(EmptyInputError, match="no row of a Zeek log"):
        replay(tmp_path / "empty.log", tmp_path / "out")


def test_never_among_other_logs(logs: Path) -> None:
    before = files(logs)
    with pytest.raises(OutputError, match="holds logs already"):
        replay(logs, logs)
    assert files(logs) == before


def test_any_log_is_replayed(tmp_path: Path) -> None:
    rows = [{"ts": NOON + 1, "note": "Scan::Port_Scan"}, {"ts": NOON, "msg": "x", "a": [1, 2]}]
    (tmp_path / "notice.log").write_text("".join(json.dumps(row) + "\n" for row in rows))
    replay(tmp_path / "notice.log", tmp_path / "out")
    found = [json.loads(line) for line in data_rows(tmp_path / "out")]
    assert found == rows[::-1]
    assert [*files(tmp_path / "out")] == ["notice.log"]

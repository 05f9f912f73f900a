"""Files that grow, rotate and end as Zeek's do."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.replay.files import LogFiles
from analyzer.replay.shapes import Shape

from . import FIELDS, NOON, TYPES, conn_row

CONN = Shape("conn", "tsv", FIELDS, TYPES)
DNS = Shape("dns", "json")


def row(moment: float) -> bytes:
    return conn_row(moment).encode()


def names(directory: Path) -> list[str]:
    return sorted(str(f.relative_to(directory)) for f in directory.rglob("*") if f.is_file())


def test_a_file_grows_by_whole_lines(tmp_path: Path) -> None:
    files = LogFiles(tmp_path / "live")
    live = tmp_path / "live" / "conn.log"
    assert names(tmp_path / "live") == []
    files.write(NOON, CONN, row(NOON))
    assert not live.exists()
    files.flush()
    header = CONN.header(NOON)
    assert live.read_bytes() == header + row(NOON) + b"\n"
    node = live.stat().st_ino
    files.write(NOON + 5, CONN, row(NOON + 5))
    files.flush()
    assert live.read_bytes() == header + row(NOON) + b"\n" + row(NOON + 5) + b"\n"
    files.close(NOON + 5)
    assert live.read_bytes().endswith(b"\n#close\t2026-01-19-12-00-05\n")
    assert live.stat().st_ino == node
    assert files.rotations == 0


def test_much_is_not_held_back(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    for index in range(3):
        files.write(NOON + index, DNS, b"x" * 600_000)
    assert (tmp_path / "dns.log").stat().st_size == 1_200_002


def test_rotation(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, rotate=3600)
    live = tmp_path / "conn.log"
    files.write(NOON + 1800, CONN, row(NOON + 1800))
    files.flush()
    assert files.next_rotation == NOON + 3600
    # A reader that has it open finds all of it, and then a file of another number.
    with live.open("rb") as old:
        node = live.stat().st_ino
        files.write(NOON + 3599.9, CONN, row(NOON + 3599.9))
        files.advance(NOON + 3600)
        assert names(tmp_path) == ["conn.2026-01-19-12-30-00.log"]
        assert old.read().endswith(row(NOON + 3599.9) + b"\n#close\t2026-01-19-13-00-00\n")
        files.write(NOON + 3700, CONN, row(NOON + 3700))
        files.flush()
        assert live.stat().st_ino != node
    assert live.read_bytes() == CONN.header(NOON + 3700) + row(NOON + 3700) + b"\n"
    # Hours without a row leave no files, and the name is that of the last rotation.
    files.write(NOON + 6 * 3600 + 5, CONN, row(NOON))
    files.close(NOON + 6 * 3600 + 9)
    assert names(tmp_path) == [
        "conn.2026-01-19-12-30-00.log",
        "conn.2026-01-19-13-00-00.log",
        "conn.2026-01-19-18-00-00.log",
    ]
    assert files.rotations == 3


def test_all_logs_rotate_together(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, rotate=60)
    files.write(NOON, CONN, row(NOON))
    files.write(NOON + 1, DNS, b'{"ts":1}')
    files.write(NOON + 61, DNS, b'{"ts":2}')
    files.flush()
    assert names(tmp_path) == [
        "conn.2026-01-19-12-00-00.log",
        "dns.2026-01-19-12-00-01.log",
        "dns.log",
    ]
    assert (tmp_path / "dns.2026-01-19-12-00-01.log").read_text() == '{"ts":1}\n'


def test_an_interval_that_does_not_divide_a_day(tmp_path: Path) -> None:
    # Zeek counts from midnight: startofday + ceil(passed / interval) * interval.
    files = LogFiles(tmp_path, rotate=7 * 3600)
    files.write(NOON, DNS, b"{}")
    assert files.next_rotation == NOON + 2 * 3600
    files.write(NOON + 9 * 3600, DNS, b"{}")
    assert files.next_rotation == NOON + 16 * 3600


def test_the_archive(tmp_path: Path) -> None:
    out, archive = tmp_path / "out", tmp_path / "archive"
    files = LogFiles(out, rotate=3600, archive=archive, compress="gz")
    for moment in (NOON + 5, NOON + 3605, NOON + 12 * 3600 - 1):
        files.write(moment, CONN, row(moment))
    files.close(NOON + 12 * 3600 - 1)
    assert names(out) == []
    assert names(archive) == [
        "2026-01-19/conn.12:00:05-13:00:00.log.gz",
        "2026-01-19/conn.13:00:00-14:00:00.log.gz",
        "2026-01-19/conn.23:00:00-23:59:59.log.gz",
    ]
    text = gzip.decompress((archive / "2026-01-19/conn.12:00:05-13:00:00.log.gz").read_bytes())
    assert text == (CONN.header(NOON + 5) + row(NOON + 5) + b"\n#close\t2026-01-19-13-00-00\n")


def test_compressed_beside_the_others(tmp_path: Path) -> None:
    one, other = (LogFiles(tmp_path / name, rotate=60, compress="gz") for name in ("one", "other"))
    for files in (one, other):
        files.write(NOON, DNS, b"{}")
        files.close(NOON)
    assert names(tmp_path / "one") == ["dns.2026-01-19-12-00-00.log.gz"]
    first, second = ((tmp_path / n / "dns.2026-01-19-12-00-00.log.gz") for n in ("one", "other"))
    assert first.read_bytes() == second.read_bytes()


def test_other_columns_are_another_file(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    files.write(NOON, CONN, row(NOON))
    short = Shape("conn", "tsv", FIELDS[:2], TYPES[:2])
    files.write(NOON + 0.5, short, b"5.0\tC1")
    files.write(NOON + 0.6, CONN, row(NOON))
    files.close(NOON + 1)
    assert names(tmp_path) == [
        "conn.2026-01-19-12-00-00-2.log",
        "conn.2026-01-19-12-00-00.log",
        "conn.log",
    ]
    for name in names(tmp_path):
        assert re.findall(r"^#(fields|close)\t", (tmp_path / name).read_text(), re.MULTILINE) == [
            "fields",
            "close",
        ]


def test_logs_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text("precious")
    with pytest.raises(OutputError, match="holds logs already; choose an empty directory"):
        LogFiles(tmp_path)
    assert (tmp_path / "conn.log").read_text() == "precious"


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written: "):
        LogFiles(tmp_path / "file" / "out")


def test_somebody_else_writes_there(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    files.write(NOON, DNS, b"{}")
    (tmp_path / "dns.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match=r"dns.log: cannot be written: File exists"):
        files.flush()
    assert not (tmp_path / "elsewhere").exists()

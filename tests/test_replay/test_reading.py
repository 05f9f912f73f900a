"""Rows of archived logs: each once, byte for byte, or counted."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.parsers.account import Account
from analyzer.replay.reading import NO_HEADER, NO_LOG, NO_OBJECT, NO_TIME, read_rows

from . import FIELDS, NOON, conn_row, tsv


def read(*paths: Path) -> tuple[list[tuple[float, str, bytes]], Account]:
    account = Account()
    rows = [(row.moment, row.shape.name, row.data) for row in read_rows(paths, account)]
    return rows, account


def test_rows_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "conn.log.gz"
    odd = f"{NOON + 1:.6f}\t".encode() + b"\xff\xfe \\x09 #x\t\xc3\xa9"
    text = tsv(conn_row(NOON, 5.0)).encode() + odd + b"\n\n#close\t2026-01-19-13-00-00\n"
    file.write_bytes(gzip.compress(text))
    rows, account = read(file)
    assert rows == [
        (NOON + 5, "conn", conn_row(NOON, 5.0).encode()),
        (NOON + 1, "conn", odd),
    ]
    assert account.read == {"conn": 2}
    assert account.lines == 2


def test_a_row_without_a_time_follows_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "conn.log"
    file.write_text(tsv("-\tC0", conn_row(NOON), "damaged", conn_row(NOON + 9)))
    rows, account = read(file)
    assert [(moment, data[:7]) for moment, _, data in rows] == [
        (NOON, b"1768824"),
        (NOON, b"damaged"),
        (NOON + 9, b"1768824"),
    ]
    assert account.skipped == {NO_TIME: 1}
    assert account.lines == 4


def test_the_header_says_what_a_log_is_called(tmp_path: Path) -> None:
    file = tmp_path / "dns.log"
    other = ("ts", "uid", "note")
    file.write_text(
        tsv(conn_row(NOON), name="../conn")
        + tsv("5.0\tC\tx", name="weird", fields=other, types=())
        + tsv("6.0\tC\tx", name="weird", fields=other, types=())
    )
    account = Account()
    rows = list(read_rows([file], account))
    assert [row.shape.name for row in rows] == ["dns", "weird", "weird"]
    assert rows[0].shape.fields == FIELDS
    assert rows[1].shape == rows[2].shape
    assert account.read == {"dns": 1, "weird": 2}


def test_json(tmp_path: Path) -> None:
    file = tmp_path / "conn.log"
    conn = {"ts": NOON, "id.orig_h": "a", "id.resp_h": "b", "proto": "tcp", "duration": 3}
    lines = [json.dumps(conn | {"conn_state": "SF"}), "{broken", json.dumps(conn)]
    file.write_text("\n".join(lines) + "\n")
    rows, account = read(file)
    assert rows == [(NOON + 3, "conn", lines[0].encode()), (NOON + 3, "conn", lines[2].encode())]
    assert account.skipped == {NO_OBJECT: 1}


def test_a_stream_of_many_logs(tmp_path: Path) -> None:
    file = tmp_path / "stdout"
    rows = [
        {"_path": "conn", "ts": NOON, "duration": 3},
        {"_path": "files", "ts": NOON, "duration": 3},
        {"_path": "../../x", "ts": NOON},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, _ = read(file)
    assert [(moment, name) for moment, name, _ in found] == [
        (NOON + 3, "conn"),
        (NOON, "files"),
        (NOON, "stdout"),
    ]


def test_what_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('[\n  {"kind": "scan"}\n]\n')
    (tmp_path / "notes.txt").write_text("nothing\n")
    (tmp_path / "rows.log").write_text("#path\tconn\n1.0\t2\n")
    (tmp_path / "conn.log").write_text(tsv(conn_row(NOON)))
    rows, account = read(tmp_path)
    assert len(rows) == 1
    assert {Path(file.name).name: file.note for file in account.files if file.note} == {
        "truth.json": NO_LOG,
        "notes.txt": NO_LOG,
        "rows.log": NO_LOG,
    }
    assert not account.skipped
    assert not any(file.failed for file in account.files)
    _, account = read(tmp_path / "notes.txt")
    assert account.files[0].failed


def test_rows_before_any_header(tmp_path: Path) -> None:
    file = tmp_path / "conn.log"
    file.write_text("#path\tconn\n1.0\t2\n" + tsv(conn_row(NOON)))
    rows, account = read(file)
    assert len(rows) == 1
    assert account.skipped == {NO_HEADER: 1}


def test_a_broken_archive(tmp_path: Path) -> None:
    file = tmp_path / "conn.log.gz"
    rows = [conn_row(NOON + index, uid=f"C{index:050}") for index in range(2000)]
    whole = gzip.compress(tsv(*rows).encode())
    file.write_bytes(whole[: len(whole) // 2])
    found, account = read(file)
    assert 0 < len(found) < 2000
    assert [data.decode() for _, _, data in found] == rows[: len(found)]
    assert account.files[0].failed
    assert account.lines == len(found) + account.skipped.total()


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none")

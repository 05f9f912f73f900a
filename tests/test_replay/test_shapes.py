"""What rows look like, what they are called, and when they were logged."""

from __future__ import annotations

import pytest

from analyzer.replay.shapes import (
    Shape,
    decoded,
    encoded,
    json_moment,
    json_row,
    json_seconds,
    log_name,
    name_in_file,
)

from . import FIELDS, NOON, TYPES, conn_row, tsv

CONN = Shape("conn", "tsv", FIELDS, TYPES)


def test_header_and_footer() -> None:
    assert CONN.header(NOON - 3600).decode() == tsv()
    assert CONN.footer(NOON) == b"#close\t2026-01-19-12-00-00\n"
    json = Shape("conn", "json")
    assert (json.header(NOON), json.footer(NOON)) == (b"", b"")


def test_a_header_of_other_separators() -> None:
    shape = Shape("x", "tsv", ("ts", "a"), (), ";", "|", "EMPTY", "?")
    assert shape.header(NOON).decode() == (
        "#separator ;\n#set_separator;|\n#empty_field;EMPTY\n#unset_field;?\n#path;x\n"
        "#open;2026-01-19-12-00-00\n#fields;ts;a\n"
    )
    assert shape.footer(NOON) == b"#close;2026-01-19-12-00-00\n"
    assert shape.moment()(b"5.5;x") == 5.5


@pytest.mark.parametrize(
    ("row", "moment"),
    [
        (conn_row(NOON, 60.5), NOON + 60.5),
        (conn_row(NOON), NOON),
        (conn_row(NOON, -1.0), NOON),
        (f"{NOON}\tC1", NOON),
        ("-\tC1", None),
        ("nan\tC1", None),
        ("-5\tC1", None),
        ("1e12\tC1", None),
        ("", None),
    ],
)
def test_a_connection_is_logged_when_it_is_over(row: str, moment: float | None) -> None:
    assert CONN.moment()(row.encode()) == moment


def test_other_rows_are_logged_when_they_happen() -> None:
    files = Shape("files", "tsv", ("ts", "fuid", "duration"))
    assert files.moment()(b"100.0\tF1\t50.0") == 100.0
    assert Shape("x", "tsv", ("a", "b")).moment()(b"100.0\t1") is None


def test_json_rows() -> None:
    row = {"ts": NOON, "duration": 2.5}
    assert json_moment(row, lasts=True) == NOON + 2.5
    assert json_moment(row, lasts=False) == NOON
    assert json_moment({"ts": NOON}, lasts=True) == NOON
    assert json_moment({"ts": "soon"}, lasts=True) is None
    assert json_moment({"ts": -1}, lasts=True) is None
    assert json_row(b'{"ts":1}') == {"ts": 1}
    assert [json_row(data) for data in (b"[1]", b'{"ts"', b"\xff")] == [None, None, None]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (NOON, NOON),
        (NOON * 1000 + 5, NOON + 0.005),
        ("2026-01-19T12:00:00.500000Z", NOON + 0.5),
        ("2026-01-19T12:00:00", NOON),
        (str(NOON), NOON),
        ("2026-99-19", None),
        (None, None),
        ([1], None),
    ],
)
def test_times_of_json(value: object, seconds: float | None) -> None:
    assert json_seconds(value) == seconds


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("conn.log", "conn"),
        ("conn.2026-01-19-12-00-00.log", "conn"),
        ("conn.12:00:00-13:00:00-logger-1.log.gz", "conn"),
        ("conn__2026-01-19-12-00-00__2026-01-19-13-00-00__.log", "conn"),
        ("conn_20240115_130000-140000+0000.log.gz", "conn"),
        ("json_streaming_http.1.log", "http"),
        ("dce_rpc.log", "dce_rpc"),
        ("notice", "notice"),
        ("12.log", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_file_name(file: str, name: str) -> None:
    assert name_in_file(file) == name


def test_a_log_s_name_leads_nowhere() -> None:
    assert log_name("../../etc/passwd", "a/b", "", "conn") == "conn"
    assert log_name(".hidden", "-x", "x" * 65, "a\n") == "log"


def test_bytes_survive() -> None:
    every = bytes(range(256))
    assert encoded(decoded(every)) == every

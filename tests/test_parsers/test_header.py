"""What a log is told by."""

from __future__ import annotations

import pytest

from analyzer.parsers.header import (
    Header,
    column_name,
    is_headless_tsv,
    is_json,
    is_tsv,
    json_fields,
    log_of,
)

from . import TYPES, header, json_row, row


def parsed(text: str) -> Header:
    result = Header()
    for line in text.splitlines():
        result = result.updated(line)
    return result


@pytest.mark.parametrize("log", ["conn", "dns", "ssl", "http"])
def test_zeek_header(log: str) -> None:
    found = parsed(header(log))
    assert found == Header(tuple(map(column_name, TYPES[log])), path=log)
    assert found.log == log
    assert found.fault() == ""


def test_own_marks_and_their_escapes() -> None:
    lines = "#separator \\x2c\n#set_separator,\\x7c\n#empty_field,EMPTY\n#unset_field,\\\\N\n"
    found = parsed(f"{lines}#path,c\n#fields,ts,uid\n#types,time,string\n")
    assert found == Header(("ts", "uid"), ",", "|", "EMPTY", "\\N", "c")


def test_separator_begins_a_new_part() -> None:
    assert parsed("#fields\tts\n#separator \\x20\n#fields a b") == Header(("a", "b"), " ")
    assert parsed("#separator") == Header()


@pytest.mark.parametrize(
    "line",
    [
        "#fields",
        "#set_separator\t",
        "#unset_field",
        "#path\ta\tb",
        "#types\ttime",
        "#close\t1",
        "#",
    ],
)
def test_unknown_and_broken_lines_change_nothing(line: str) -> None:
    assert parsed(header()).updated(line) == parsed(header())


@pytest.mark.parametrize("separator", ["\\x0a", "\\x0d", "||", "\\q", "\u00e9", "\\x80"])
def test_separator_that_separates_nothing(separator: str) -> None:
    found = parsed(f"#separator {separator}\n#fields\tts\tuid")
    assert found.fault() == f"#separator {found.separator!r} is not one ASCII byte"


def test_faults() -> None:
    assert Header().fault() == "rows before any #fields header"
    fields = (*TYPES["conn"], "uid", "ts", "extra", "extra")
    assert parsed(header("conn", fields)).fault() == "#fields names ts, uid twice"
    assert parsed(header("conn", (*TYPES["conn"], "x", "x"))).fault() == ""
    lacking = [name for name in TYPES["conn"] if name != "proto"]
    expected = "#fields lacks columns that a conn log must have"
    assert parsed(header("conn", lacking)).fault() == expected


def test_fields_that_collide_after_renaming() -> None:
    fields = (*TYPES["conn"], "id_orig_h")
    assert parsed(header("conn", fields)).fault() == "#fields names orig_h twice"


def test_many_fields_take_no_time() -> None:
    found = parsed(header("conn", [*TYPES["conn"], *(f"x{n}" for n in range(400_000))]))
    assert found.fault() == ""


@pytest.mark.parametrize(
    ("fields", "log"),
    [
        ("ts uid fuid", None),
        ("ts uid id.orig_h id.resp_h proto note msg", None),
        ("ts id.orig_h id.resp_h proto name addl", None),
        ("ts uid id.orig_h id.resp_h proto analyzer failure_reason", None),
        ("ts uid id.orig_h id.resp_h proto duration local_orig", "conn"),
        ("ts uid id_orig_h id_resp_h proto history", "conn"),
        ("ts id.orig_h proto query", "dns"),
        ("ts uid cipher request_type client", None),
        ("ts uid method uri call_id request_from", None),
        ("uid host", "http"),
        ("uid established", "ssl"),
        ("", None),
    ],
)
def test_log_of(fields: str, log: str | None) -> None:
    assert log_of(fields.split()) == log


def test_unset_json_fields_do_not_count() -> None:
    given = {"ts": 1, "query": None, "id": {"orig_h": "a", "resp_h": None}, "id.orig_p": 5}
    assert json_fields(given) == {"ts", "id", "orig_h", "orig_p"}
    assert json_fields({"id": "text"}) == {"id"}


def test_kinds_of_heads() -> None:
    assert is_tsv(header().encode())
    assert is_tsv(b"\xef\xbb\xbf\r\n#fields\tts")
    assert not is_tsv(b"# a comment")
    assert is_headless_tsv(row().encode())
    assert not is_headless_tsv(b"hello\tworld")
    assert is_json(b"\xef\xbb\xbf" + json_row().encode())
    assert is_json(b'0.5,"proto":"tcp"}\n{"ts":1}\n')
    assert not is_json(b"text\n" * 100 + b"{}")
    assert not is_json(b"")

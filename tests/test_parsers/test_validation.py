"""What is wrong with a line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analyzer.parsers.header import Header, column_name
from analyzer.parsers.validation import Refusal, check_json, check_tsv
from analyzer.records import LOGS

from . import TYPES, json_row, row


def tsv(line: str, log: str = "conn", fields: list[str] | None = None) -> str:
    names = fields or list(TYPES[log])
    try:
        check_tsv(line.rstrip("\n"), Header(tuple(map(column_name, names))), LOGS[log])
    except Refusal as refusal:
        return f"{refusal.reason} ({refusal.detail})" if refusal.detail else refusal.reason
    return ""


def as_json(line: str) -> str:
    try:
        check_json(line.rstrip("\n"), LOGS)
    except Refusal as refusal:
        return f"{refusal.reason} ({refusal.detail})" if refusal.detail else refusal.reason
    return ""


@pytest.mark.parametrize("log", LOGS)
def test_good_rows(log: str) -> None:
    assert tsv(row(log), log) == ""
    assert as_json(json_row(log)) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ts": "-"}, "ts is not set"),
        ({"orig_h": "-"}, "id.orig_h is not set"),
        ({"uid": "-"}, ""),
        ({"ts": "x"}, "ts is not a time in seconds since 1970 (found 'x')"),
        ({"duration": "inf"}, "duration is not an interval in seconds (found 'inf')"),
        ({"orig_p": "65536"}, "id.orig_p is not a port, 0 to 65535 (found '65536')"),
        ({"orig_p": "\u0663"}, "id.orig_p is not a port, 0 to 65535 (found '\u0663')"),
        ({"orig_bytes": "-1"}, "orig_bytes is not a count below 2^53 (found '-1')"),
        ({"orig_bytes": "9" * 99}, f"orig_bytes is not a count below 2^53 (found '{'9' * 40}')"),
        ({"local_orig": "maybe"}, "local_orig is not T or F (found 'maybe')"),
        ({"tunnel_parents": "a,b"}, ""),
    ],
)
def test_conn_row(changes: dict[str, Any], reason: str) -> None:
    assert tsv(row(**changes)) == reason


def test_vectors() -> None:
    assert tsv(row("dns", TTLs="1.0,-,2"), "dns") == ""
    assert tsv(row("dns", TTLs="(empty)"), "dns") == ""
    assert (
        tsv(row("dns", TTLs="1.0,x"), "dns") == "TTLs is not an interval in seconds (found '1.0,x')"
    )


def test_columns() -> None:
    assert tsv("\0 \n") == "blank line"
    assert tsv("a\tb\n") == "expected the 22 columns of #fields (found 2)"
    fields = ["ts", "id.orig_h", "proto", "query"]
    assert tsv("1\ta\tudp\tq", "dns", fields) == "id.resp_h is not set"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (" ", "blank line"),
        ("x", "not a JSON object (Expecting value)"),
        ("[1]", "not a JSON object (found '[1]')"),
        ("[" * 100_000, "not a JSON object (RecursionError)"),
        ("{}", "no row of a Zeek log"),
        ('{"ts":1}', "row of a log that is not used"),
        ('{"_path":"weird"}', "row of a log that is not used (weird)"),
        (json_row(ts=[1]), "ts is not a time in seconds since 1970 (found '[1]')"),
        (json_row(ts="2024-01-15T13:00:00Z"), ""),
        (json_row(orig_p=True), "id.orig_p is not a port, 0 to 65535 (found 'true')"),
        (json_row(resp_h=None), "row of a log that is not used"),
        (json_row("dns", resp_h=None), "id.resp_h is not set"),
        (json_row("dns", TTLs=["x"]), "TTLs is not an interval in seconds (found '[\"x\"]')"),
        (json_row("dns", TTLs=5), ""),
        (json_row("dns", answers="a"), ""),
    ],
)
def test_json_row(line: str, reason: str) -> None:
    assert as_json(line) == reason


def test_huge_integer_is_too_long_for_python() -> None:
    assert as_json('{"ts":' + "9" * 10_000 + "}").startswith("not a JSON object")


def test_nested_connection_id() -> None:
    given = {"ts": 1, "id": {"orig_h": "a", "resp_h": "b", "orig_p": -1}, "proto": "tcp"}
    line = json.dumps(given | {"duration": 1})
    assert as_json(line) == "id.orig_p is not a port, 0 to 65535 (found '-1')"

"""Findings as JSON lines."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import OutputError
from analyzer.findings import Evidence
from analyzer.writers.jsonl import finding_lines, json_line, write_findings
from analyzer.zeek_format import replace_undecodable

from . import make_finding

if TYPE_CHECKING:
    from pathlib import Path


def test_exact_line() -> None:
    finding = make_finding(evidence=(Evidence("failed hosts", 250, threshold=20),))
    expected = (
        f'{{"id":"{finding.identifier}","rule":"address-scan",'
        '"note":"ZeekAnalyzer::Address_Scan","severity":"high","score":0.93,'
        '"source":"10.0.0.5","destination":null,"port":22,"proto":"tcp","subject":null,'
        '"first":1700000000.0,"last":1700000400.123456,"techniques":["T1046"],'
        '"technique_names":["Network Service Discovery"],"tactics":["TA0007"],'
        '"message":"10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain",'
        '"evidence":[{"name":"failed hosts","observed":250,"expected":null,"threshold":20,'
        '"unit":null}],"connections":254,"uids":["CHhAvVGS1DHFjwGM9","C2"],'
        '"server_names":[],"looked_up_as":[],'
        '"first_time":"2023-11-14T22:13:20.000000Z",'
        '"last_time":"2023-11-14T22:20:00.123456Z"}\n'
    )
    assert list(finding_lines([finding])) == [expected]


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_parses_back_from_one_line(text: str) -> None:
    (line,) = finding_lines([make_finding(message=text, uids=(text,))])
    assert len(line.splitlines()) == 1
    assert line.encode()
    parsed = json.loads(line)
    assert parsed["message"] == replace_undecodable(text)
    assert parsed["uids"] == [replace_undecodable(text)]


def test_control_characters_are_escaped_and_the_rest_is_not() -> None:
    text = "\x1b\x7f\x85\u2028è\udcff"
    assert json_line({"k": text}) == '{"k":"\\u001b\\u007f\\u0085\\u2028è\\\\xff"}\n'


def test_what_is_no_number_is_null() -> None:
    finding = make_finding(evidence=(Evidence("x", math.nan, math.inf, -math.inf),), first=1e18)
    parsed = json.loads(next(finding_lines([finding])))
    assert parsed["evidence"][0] == dict.fromkeys(("observed", "expected", "threshold", "unit")) | {
        "name": "x"
    }
    assert parsed["first_time"] is None


def test_to_a_file_and_to_a_stream(tmp_path: Path) -> None:
    findings = [make_finding(), make_finding(port=23)]
    path, stream = tmp_path / "findings.jsonl", io.StringIO()
    assert write_findings(findings, path) == 2
    assert write_findings(iter(findings), stream) == 2
    assert path.read_text() == stream.getvalue() == "".join(finding_lines(findings))


def test_nothing_is_an_empty_file(tmp_path: Path) -> None:
    assert write_findings([], tmp_path / "none.jsonl") == 0
    assert (tmp_path / "none.jsonl").read_bytes() == b""


def test_a_directory_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_findings([], tmp_path)

"""Verdicts on findings: read, looked up, kept, and which of them are in force."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.feedback import (
    Verdict,
    read_findings,
    read_verdicts,
    verdict_rows,
    verdicts_about,
)
from analyzer.errors import InputError

FINDING: dict[str, Any] = {
    "id": "00ff00ff00ff00ff",
    "rule": "beacon",
    "source": "10.0.0.1",
    "destination": None,
    "port": None,
    "proto": "tcp",
    "subject": "é.example",
    "score": 0.9,
}


def written(path: Path, *findings: object) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in findings), "utf-8")
    return path


def test_findings_are_read(tmp_path: Path) -> None:
    other = {**FINDING, "id": "b", "port": 443}
    assert read_findings(written(tmp_path / "x", FINDING, other)) == {
        FINDING["id"]: FINDING,
        "b": other,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {},
        {**FINDING, "id": 7},
        {**FINDING, "port": 65_536},
        {**FINDING, "port": True},
        {**FINDING, "score": float("nan")},
        {**FINDING, "score": "x"},
        {**FINDING, "subject": []},
    ],
)
def test_lines_that_hold_no_finding(wrong: object, tmp_path: Path) -> None:
    path = written(tmp_path / "x", FINDING, wrong)
    with pytest.raises(InputError, match=f"{path}:2: holds no finding"):
        read_findings(path)


def test_verdicts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("# ours\na benign  # the backup\n\nb malicious\na benign\n", "utf-8")
    assert [(each.finding, each.benign) for each in read_verdicts(path)] == [
        ("a", True),
        ("b", False),
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("b", "'b': expected the identifier"),
        ("b harmless", "'b harmless': expected the identifier of a finding and benign or malic"),
        ("b benign really", "expected the identifier"),
        ("a malicious", "a was called the opposite before"),
    ],
)
def test_lines_that_make_no_sense(line: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(f"a benign\n{line}\n", "utf-8")
    with pytest.raises(InputError) as error:
        read_verdicts(path)
    assert str(error.value).startswith(f"{path}:2: ")
    assert complaint in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    for read in (read_findings, read_verdicts):
        with pytest.raises(InputError, match="gone: cannot be read"):
            read(tmp_path / "gone")


@settings(max_examples=50)
@given(content=st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    for read in (read_findings, read_verdicts):
        with contextlib.suppress(InputError):
            read(path)


def test_rows() -> None:
    rows = verdict_rows([Verdict(FINDING["id"], True)], {FINDING["id"]: FINDING}, by="ann", said=5)
    assert rows.to_dict("records") == [
        {
            "said": 5.0,
            "by": "ann",
            "finding": "00ff00ff00ff00ff",
            "benign": True,
            "rule": "beacon",
            "source": "10.0.0.1",
            "destination": "",
            "proto": "tcp",
            "port": -1,
            "subject": "é.example",
            "score": 0.9,
        }
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("00ff", "00ff00ff00ff00ff"), ("00ff00ff00ff00fe", "00ff00ff00ff00ff"), ("zz", None)],
)
def test_unknown_findings(name: str, hint: str | None) -> None:
    with pytest.raises(InputError) as error:
        verdict_rows([Verdict(name, True)], {FINDING["id"]: FINDING}, by="ann", said=5)
    assert str(error.value).startswith(f"no finding is called {name!r}")
    assert (f"did you mean {hint}?" in str(error.value)) == (hint is not None)


def test_the_latest_verdict_is_in_force_and_all_stay() -> None:
    findings = {name: {**FINDING, "id": name} for name in "ab"}
    baseline = Baseline()
    for said, name, benign, by in (
        (1, "a", True, "ann"),
        (3, "a", False, "bob"),
        (2, "b", True, ""),
    ):
        rows = verdict_rows([Verdict(name, benign)], findings, by=by, said=said)
        baseline = baseline.joined({"verdicts": rows})
    assert len(baseline["verdicts"]) == 3
    force = verdicts_about(baseline)
    assert list(zip(force.finding, force.benign, force.by, strict=True)) == [
        ("b", True, ""),
        ("a", False, "bob"),
    ]
    assert len(verdicts_about(Baseline())) == 0

"""An evaluation from files to figures, and what may be wrong with what is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import EmptyInputError, InputError, OptionError
from analyzer.evaluation import evaluate
from analyzer.findings import Severity
from analyzer.quality import Confusion
from tests.test_cli import scan_rows, write_log

SCAN = ["address_scan", "compromised_host"]


def labelled(path: Path) -> Path:
    """Write a log of a scan by one host and of two honest connections of another, all labelled."""
    rows = [f"{row}\t(empty)   Malicious   PartOfAHorizontalPortScan" for row in scan_rows()]
    rows += [
        f"{1768800000 + k}\tU{k}\t10.0.0.6\t40000\t10.0.1.1\t443\ttcp\t1\t500\t500\tSF"
        "\t(empty)   Benign   -"
        for k in range(2)
    ]
    write_log(path, rows)
    text = path.read_text("utf-8")
    text = text.replace("conn_state\n", "conn_state\ttunnel_parents   label   detailed-label\n")
    text = text.replace("string\n1768", "string\tset[string]   string   string\n1768", 1)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return labelled(tmp_path / "conn.log.labeled")


def test_the_labelled_log_itself(log: Path) -> None:
    evaluation = evaluate(log, log, select_rules=SCAN)
    quality = evaluation.quality
    assert quality is not None
    assert quality.connections == Confusion(100, 0, 0, 2)
    assert quality.host_days == Confusion(1, 0, 0, 1)
    assert [(a.label, a.detected) for a in quality.attacks] == [("PartOfAHorizontalPortScan", 100)]
    assert [rule.rule for rule in quality.rules] == ["address_scan"]
    assert evaluation.report.account is not None
    assert evaluation.report.account.read["conn"] == 102
    assert evaluation.account is not None
    assert evaluation.account.read["label"] == 102
    assert evaluation.proposals == ()
    assert analyzer.evaluate is evaluate


def test_labels_from_elsewhere(log: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("address,label\n10.0.0.6,Bot\n10.0.0.5,benign\n", encoding="utf-8")
    quality = evaluate([log], [labels], select_rules=SCAN).quality
    assert quality is not None
    assert quality.connections == Confusion(0, 100, 2, 0)
    assert [missed.host for missed in quality.missed] == ["10.0.0.6"]


def test_what_is_not_reported_does_not_count(log: Path) -> None:
    quality = evaluate(log, log, select_rules=["fan_out"]).quality
    assert quality is not None
    assert quality.connections == Confusion(0, 0, 100, 2)


def test_tuning_with_and_without_labels(log: Path) -> None:
    (proposal,) = evaluate(log, log, tune=True, select_rules=SCAN).proposals
    assert (proposal.rule, proposal.true) == ("address_scan", 1)
    assert "nothing to change" in proposal.words[0]
    unlabelled = evaluate(log, tune=True, select_rules=SCAN)
    assert (unlabelled.quality, unlabelled.account) == (None, None)
    assert "too few" in unlabelled.proposals[0].words[0]
    plain = json.loads(json.dumps(unlabelled.as_dict()))
    assert (plain["quality"], plain["findings"], plain["minimum_severity"]) == (None, 1, "low")


def test_the_plain_form(log: Path) -> None:
    plain = evaluate(log, log, select_rules=SCAN, minimum=Severity.HIGH).as_dict()
    assert plain["records"] == {"conn": 102, "dns": 0}
    assert plain["quality"]["connections"]["f1"] == 1.0


def test_labels_that_match_nothing(log: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("uid,label\nnobody,Bot\n", encoding="utf-8")
    message = "no label matches a connection: 1 labels by uid and 0 by address"
    with pytest.raises(EmptyInputError, match=message):
        evaluate(log, labels)


def test_what_makes_no_sense(log: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="nothing to compare with"):
        evaluate(log)
    for precision in (0.0, 1.1, float("nan")):
        with pytest.raises(OptionError, match="expected above 0 and at most 1"):
            evaluate(log, log, tune=True, precision=precision)
    with pytest.raises(InputError, match="no such file"):
        evaluate(log, tmp_path / "gone")
    with pytest.raises(EmptyInputError, match="no label in 1 file"):
        evaluate(log, write_log(tmp_path / "plain.log", scan_rows()))

"""The rules commands: what they print, where, and with which status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzer.rules import shipped_rules
from tests.test_cli import Run, log, run

__all__ = ["log", "run"]  # fixtures

RULE = (shipped_rules() / "address_scan.yaml").read_text(encoding="utf-8").partition("cases:")[0]
CASES = """cases:
  - name: twenty silent hosts
    expect: {source: 10.0.0.5, port: 22, severity: medium}
    conn:
      - {count: 20, every: 3, orig_h: 10.0.0.5, resp_h: "10.0.1.{i+1}", resp_p: 22, conn_state: S0}
  - name: a quiet day
    expect: none
    conn:
      - {count: 20, every: 3, orig_h: 10.0.0.5, resp_h: "10.0.1.{i+1}", resp_p: 22}
"""


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    """A rule in a directory of its own."""
    directory = tmp_path / "rules"
    directory.mkdir()
    file = directory / "address_scan.yaml"
    file.write_text(RULE + CASES, encoding="utf-8")
    return file


def test_rules_list(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = run("rules", "list")
    assert (said.status, said.err) == (0, "")
    heading, *lines = said.out.splitlines()
    assert heading.split() == ["Rule", "Level", "Techniques", "Finds"]
    files = sorted(file.stem for file in shipped_rules().glob("*.yaml"))
    assert [line.split()[0] for line in lines] == files


def test_rules_show(run: Run) -> None:
    said = run("rules", "show", "address_scan")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("address_scan: Address scan from a local host\n")
    said = run("rules", "show", "*_scan")
    assert (said.status, said.err) == (0, "")
    shown = re.findall(r"^\w+(?=: )", said.out, re.MULTILINE)
    assert shown == ["address_scan", "block_scan", "inbound_scan", "port_scan"]


def test_rules_show_an_unknown_rule(run: Run) -> None:
    said = run("rules", "show", "portscan")
    complaint = "zeek-analyzer: no rule is called 'portscan'; did you mean 'port_scan'?\n"
    assert (said.status, said.out, said.err) == (2, "", complaint)


def test_rules_check(run: Run, rule: Path) -> None:
    said = run("rules", "check", "--rules", rule.parent)
    assert (said.status, said.out, said.err) == (0, "address_scan: 2 cases, ok\n", "")


def test_rules_check_a_case_that_fails(run: Run, rule: Path) -> None:
    # A result like others, but not one to go on with.
    rule.write_text(RULE + CASES.replace("severity: medium", "severity: critical"))
    said = run("rules", "check", "--rules", rule.parent)
    assert (said.status, said.err) == (2, "")
    first, second, *more = said.out.splitlines()
    line = 1 + RULE.count("\n") + 1
    assert first == "address_scan: 2 cases, FAILED"
    assert second.startswith(f"  {rule}:{line}: twenty silent hosts: expected ")
    assert "severity at least critical, found 0; nearest is high finding on 10.0.0.5" in second
    assert more == []


@pytest.mark.parametrize("command", ["list", "check"])
def test_rules_that_break_the_contract(run: Run, rule: Path, command: str) -> None:
    rule.write_text("titel: x\n" + RULE.partition("\n")[2] + CASES)
    other = rule.with_name("other.yaml")
    other.write_text("title: [\n")
    said = run("rules", command, "--rules", rule.parent)
    assert (said.status, said.out) == (2, "")
    lines = said.err.splitlines()
    assert all(line.startswith("zeek-analyzer: ") for line in lines)
    places = [line.removeprefix("zeek-analyzer: ").partition(": ")[0] for line in lines]
    assert places == [f"{rule}:1", f"{rule}:1", f"{other}:2"]
    assert "did you mean 'title'?" in said.err


def test_rules_notices(run: Run, tmp_path: Path) -> None:
    said = run("rules", "notices")
    assert (said.status, said.err) == (0, "")
    assert said.out.count("\t\tAddress_Scan,\n") == 1
    assert said.out.endswith("\t};\n}\n")
    # A site's own rules need only what the shipped ones do not declare.
    for notice, expected in (("Address_Scan", 0), ("Own_Scan", 1)):
        own = RULE.replace("ZeekAnalyzer::Address_Scan", f"ZeekAnalyzer::{notice}") + CASES
        (tmp_path / "address_scan.yaml").write_text(own)
        said = run("rules", "notices", "--rules", tmp_path)
        assert said.out.count("\t\tOwn_Scan,\n") == expected
        assert "Address_Scan," not in said.out

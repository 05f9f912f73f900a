"""Algorithmic names in traffic whose truth is known: real captures, and generated offices."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.findings import Finding, Severity

ROOT = Path(__file__).parents[1]


def found_in(*paths: Path) -> list[Finding]:
    return list(analyzer.analyze(*paths, select_rules=["dga"]).findings)


def loud(*paths: Path) -> list[Finding]:
    return [each for each in found_in(*paths) if each.severity >= Severity.MEDIUM]


def test_simda_is_found(data: Path) -> None:
    found = {each.source: each for each in found_in(data / "zeek" / "simda-dga")}
    assert "192.168.1.116" in found
    assert len(found) == 2
    for each in found.values():
        assert each.severity >= Severity.MEDIUM
        assert [technique.id for technique in each.techniques] == ["T1568.002"]


@pytest.mark.parametrize("name", ["dns-normal-00", "dns-normal-03", "dns-normal-05"])
def test_a_crawler_is_nothing(golden: Path, name: str) -> None:
    assert loud(golden / f"{name}.pcap") == []


@pytest.mark.parametrize("name", ["zeek/m57-benign", "zeek/mixed-labelled"])
def test_ordinary_logs_are_nothing(data: Path, name: str) -> None:
    assert loud(data / name) == []

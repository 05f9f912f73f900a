"""Indicators going out: exact bytes, whose end they are, and that they are read back equal."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import OutputError
from analyzer.findings import Finding, Severity
from analyzer.intelligence import Intelligence
from analyzer.mitre import technique
from analyzer.networks import parse_networks
from analyzer.writers.intel import write_intel
from analyzer.zeek_format import replace_undecodable

from . import make_finding

HEAD = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url\n"
WEB = "https://attack.mitre.org/techniques/T1071/001/"


def beacon(**changes: Any) -> Finding:  # noqa: ANN401 - the attributes of a finding
    finding = make_finding(
        rule="beacon",
        note="ZeekAnalyzer::Beacon",
        destination="198.51.100.7",
        port=443,
        techniques=(technique("T1071.001"),),
        message="10.0.0.5 calls 198.51.100.7",
    )
    return replace(finding, **changes)


def written(path: Path, *findings: Finding, **options: Any) -> list[list[str]]:  # noqa: ANN401
    """The rows written, each as its values."""
    count = write_intel(findings, path, **options)
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert head == HEAD
    assert len(rows) == count
    return [row.removesuffix("\n").split("\t") for row in rows]


def indicators(path: Path, *findings: Finding, **options: Any) -> list[tuple[str, str]]:  # noqa: ANN401
    return [(row[0], row[1]) for row in written(path, *findings, **options)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "intel.dat"


def test_rows(path: Path) -> None:
    tunnel = beacon(
        rule="dns_tunnel",
        destination=None,
        subject="Evil.example",
        message="10.0.0.5 asked for\tnames\nbelow Evil.example \x1b[31m \\x41",
        techniques=(technique("T1071.004"), technique("T1048")),
    )
    assert written(path, tunnel, beacon()) == [
        [
            "198.51.100.7",
            "Intel::ADDR",
            "zeek-analyzer",
            "10.0.0.5 calls 198.51.100.7 (beacon)",
            WEB,
        ],
        [
            "evil.example",
            "Intel::DOMAIN",
            "zeek-analyzer",
            r"10.0.0.5 asked for names below Evil.example \x1b[31m \\x41 (dns_tunnel)",
            "https://attack.mitre.org/techniques/T1071/004/",
        ],
    ]


def test_nothing_to_say(path: Path) -> None:
    assert written(path) == []


def test_severity(path: Path) -> None:
    medium = beacon(score=0.89)
    assert written(path, medium) == []
    assert len(written(path, medium, minimum=Severity.MEDIUM)) == 1


def test_the_loudest_finding_describes(path: Path) -> None:
    louder = beacon(score=0.96, message="louder")
    for order in ([beacon(), louder], [louder, beacon()]):
        (row,) = written(path, *order)
        assert row[3] == "louder (beacon)"


def test_only_the_end_of_an_attacker(path: Path) -> None:
    flood = beacon(techniques=(technique("T1030"), technique("T1498")))
    login = beacon(techniques=(technique("T1110.001"),))
    listed = beacon(note="ZeekAnalyzer::Threat_Intelligence_Lookup")
    scan = make_finding(destination="198.51.100.9")
    nothing = beacon(techniques=())
    assert written(path, flood, login, listed, scan, nothing) == []


def test_a_source_is_an_indicator_if_it_is_not_ours(path: Path) -> None:
    visitor = make_finding(source="203.0.113.5", destination="192.0.2.1")
    assert indicators(path, visitor, outside={"203.0.113.5"}) == [("203.0.113.5", "Intel::ADDR")]
    assert written(path, visitor) == []


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "fe80::1", "100.64.0.9", "127.0.0.1", "224.0.0.251", "::", "x"]
)
def test_no_address_that_is_nobodys_outside(path: Path, address: str) -> None:
    ours = parse_networks(["192.0.2.0/24"])
    assert written(path, beacon(destination=address), local_networks=ours) == []
    assert written(path, beacon(source=address), outside={address}) == written(path, beacon())


def test_networks_that_are_ours(path: Path) -> None:
    ours = parse_networks(["198.51.100.0/24"])
    assert written(path, beacon(), local_networks=ours) == []


def test_a_name_stands_for_its_address(path: Path) -> None:
    assert indicators(path, beacon(subject="cdn.example.com")) == [
        ("cdn.example.com", "Intel::DOMAIN")
    ]
    assert indicators(path, beacon(subject="198.51.100.0/24")) == [("198.51.100.7", "Intel::ADDR")]


def test_what_others_listed_stays(path: Path) -> None:
    path.write_text(HEAD + "198.51.100.7\tIntel::ADDR\tfeed\t-\t-\n")
    with pytest.raises(OutputError, match=r"intel.dat: holds indicators of others \(feed\)"):
        write_intel([beacon()], path)
    path.write_text("a list of mine\n")
    with pytest.raises(OutputError, match="is no file of indicators"):
        write_intel([beacon()], path)
    assert path.read_text() == "a list of mine\n"


TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
NAMES = st.from_regex(r"[a-z0-9]{1,9}(\.[a-z]{2,5}){1,2}", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.ip_addresses().map(str), TEXT, st.one_of(st.just(""), NAMES, TEXT), st.booleans()
        )
    )
)
def test_what_is_written_is_read_back(given: list[tuple[str, str, str, bool]]) -> None:
    findings = [
        beacon(destination=address, message=message, subject=subject, score=0.96 if loud else 0.92)
        for address, message, subject, loud in given
    ]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "intel.dat"
        rows = written(path, *findings)
        # A second time, it is ours.
        assert written(path, *reversed(findings)) == rows
        if not rows:
            return
        known = Intelligence([path])
    assert known.account.skipped.total() == 0
    assert len(known.indicators) == len(rows)
    said = {replace_undecodable(" ".join(message.split())) for _, message, _, _ in given}
    for indicator, row in zip(known.indicators, rows, strict=True):
        assert indicator.value == row[0]
        assert indicator.sources == ("zeek-analyzer",)
        assert indicator.references == (WEB,)
        assert len(indicator.descriptions) == 1
        assert indicator.descriptions[0] in {f"{each} (beacon)".strip() for each in said}

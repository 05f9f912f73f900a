"""Anomalies in an office whose truth is known: three days learned, the fourth with attacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.summary import summarise
from analyzer.detectors import Detection, Shared
from analyzer.detectors.anomalous_connection import DETECTOR, Parameters
from analyzer.engine import Engine
from analyzer.findings import Severity
from analyzer.parsers.reading import read
from analyzer.public_suffix import suffix_rules
from analyzer.records import Records
from tests.traffic import Attack, office
from tests.traffic.schedule import MONDAY

DAY = 86_400.0
NOON = 3 * DAY + 39_600.0
ATTACKS = {
    "exfiltration": Attack("exfiltration", size=10_000_000_000, source="10.20.1.12", begin=NOON),
    "new_port": Attack("new_port", source="10.20.1.13", begin=NOON),
    "new_protocol": Attack("new_protocol", source="10.20.1.14", begin=NOON),
    "byte_burst": Attack("byte_burst", source="10.20.1.15", begin=NOON),
    "address_scan": Attack("address_scan", source="10.20.1.16", begin=NOON),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Detection]]:
    directory = tmp_path_factory.mktemp("office")
    traffic = office(877, hosts=24, days=4.0, attacks=tuple(ATTACKS.values()))
    traffic.write(Path(directory))
    with Engine() as engine:
        read([directory], engine)
        before, after = (
            engine.records(begin=begin, end=begin + days * DAY)
            for begin, days in ((MONDAY, 3), (MONDAY + 3 * DAY, 1))
        )
        shared = Shared(learned(before))
        yield [
            detection
            for parameters in (Parameters(), Parameters(of="windows", false_alarm=1e-4))
            for detection in DETECTOR.find(after, parameters, shared)
        ]


def learned(records: Records) -> Baseline:
    suffixes = records.keep(suffix_rules(), "suffix_rules")
    return Baseline().joined(summarise(records, lambda: suffixes), learned=MONDAY + 3 * DAY)


@pytest.mark.parametrize(
    ("attack", "severity"),
    [
        ("exfiltration", Severity.CRITICAL),
        ("new_port", Severity.LOW),
        ("new_protocol", Severity.MEDIUM),
        ("byte_burst", Severity.MEDIUM),
        ("address_scan", Severity.MEDIUM),
    ],
)
def test_it_is_found(found: list[Detection], attack: str, severity: Severity) -> None:
    source = ATTACKS[attack].parameters["source"]
    loudest = max((each.score for each in found if each.source == source), default=0.0)
    assert Severity.of(loudest) >= severity


def test_next_to_nothing_else_is(found: list[Detection]) -> None:
    attackers = {attack.parameters["source"] for attack in ATTACKS.values()}
    others = [each for each in found if each.source not in attackers]
    # Backups that grow, a call longer than any before.
    assert sum(each.score >= Severity.MEDIUM.bound for each in others) <= 3
    assert len(others) <= 10

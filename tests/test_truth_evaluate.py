"""The evaluation of real labelled logs: it reads all of their labels, and its figures hold."""

from __future__ import annotations

from pathlib import Path

from analyzer.evaluation import evaluate
from analyzer.quality import Quality


def quality(path: Path) -> Quality:
    evaluation = evaluate(path, path)
    assert evaluation.account is not None
    assert not evaluation.account.skipped
    assert evaluation.quality is not None
    return evaluation.quality


def test_a_workstation_on_the_open_internet(data: Path) -> None:
    figures = quality(data / "zeek" / "mixed-labelled")
    assert (figures.attack, figures.benign, figures.unknown, figures.unlabelled) == (
        4201,
        1402,
        60,
        0,
    )
    assert (figures.connections.recall or 0) > 0.3
    assert (figures.connections.precision or 0) > 0.95
    assert (figures.connections.false_alarm_rate or 0) < 0.02
    (attack,) = figures.attacks
    assert (attack.label, attack.sources) == ("External-Attack-to-Device", 1599)
    assert "104.156.155.13" not in {missed.host for missed in figures.missed}


def test_a_beacon_among_background(data: Path) -> None:
    figures = quality(data / "zeek" / "njrat-beacon" / "labeled-conn.log")
    assert (figures.attack, figures.benign, figures.unknown) == (244, 9, 739)
    assert [attack.label for attack in figures.attacks] == ["CC"]

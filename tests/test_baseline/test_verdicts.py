"""What people said moves scores of the like, and silences nothing that is far from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd
import pytest

from analyzer.baseline.verdicts import moved

from . import frame


@dataclass(frozen=True)
class Found:
    rule: str = "anomalous_connection"
    source: str = "10.0.0.5"
    destination: str | None = "198.51.100.9"
    port: int | None = 443
    proto: str | None = "tcp"
    subject: str = ""


FOUND = Found()
OTHER_PLACE = replace(FOUND, destination="198.51.100.10")
OTHER_SOURCE = replace(FOUND, source="10.0.0.6")


def said(
    *verdicts: tuple[bool, float], about: Found = FOUND, by: str = "eve", begin: float = 0.0
) -> pd.DataFrame:
    return frame(
        "verdicts",
        *(
            (
                begin + 86_400.0 * place,
                by,
                f"{begin}-{place}",
                benign,
                about.rule,
                about.source,
                about.destination or "",
                about.proto or "",
                -1 if about.port is None else about.port,
                about.subject,
                score,
            )
            for place, (benign, score) in enumerate(verdicts)
        ),
    )


BENIGN, MALICIOUS = said((True, 0.82)), said((False, 0.72))


@pytest.mark.parametrize(
    ("finding", "verdicts", "score", "expected"),
    [
        (FOUND, BENIGN, 0.82, 0.6),
        (FOUND, BENIGN, 0.75, 0.6),
        (FOUND, BENIGN, 0.84, 0.6),
        (FOUND, BENIGN, 0.855, 0.7275),
        (FOUND, BENIGN, 0.87, 0.87),
        (FOUND, BENIGN, 1.0, 1.0),
        (FOUND, BENIGN, 0.5, 0.5),
        (OTHER_PLACE, BENIGN, 0.8, 0.7),
        (OTHER_SOURCE, BENIGN, 0.8, 0.7),
        (replace(OTHER_PLACE, source="10.0.0.6"), BENIGN, 0.8, 0.8),
        (replace(FOUND, port=22), BENIGN, 0.8, 0.8),
        (replace(FOUND, rule="exfiltration"), BENIGN, 0.8, 0.8),
        (FOUND, said((True, 0.995)), 1.0, 0.799),
        (FOUND, MALICIOUS, 0.72, 0.96),
        (OTHER_PLACE, MALICIOUS, 0.72, 0.84),
        (FOUND, MALICIOUS, 0.98, 0.98),
        (FOUND, said(), 0.9, 0.9),
    ],
)
def test_scores_move(finding: Found, verdicts: pd.DataFrame, score: float, expected: float) -> None:
    assert moved(score, finding, verdicts).score == pytest.approx(expected)


def test_fifty_megabytes_are_fine_but_not_ten_gigabytes() -> None:
    assert moved(0.83, FOUND, said((True, 0.83))).score < 0.7
    assert moved(1.0, FOUND, said((True, 0.83))).score == 1.0


def test_who_said_what_when_is_shown() -> None:
    found = moved(0.82, FOUND, BENIGN).evidence
    assert [(each.name, each.observed) for each in found] == [
        ("this was said to be benign", "by eve on 1970-01-01, at a score of 0.82"),
        ("score without that", 0.82),
    ]
    assert (
        moved(0.8, OTHER_PLACE, MALICIOUS).evidence[0].name == "the like was said to be malicious"
    )
    assert moved(0.99, FOUND, BENIGN).evidence == ()


def test_the_latest_on_a_finding_counts() -> None:
    both = pd.concat([said((True, 0.82)), said((False, 0.82), begin=0.0).assign(said=5.0)])
    assert moved(0.8, FOUND, both).score == 0.96


def test_the_nearest_counts_then_the_latest() -> None:
    near = pd.concat([said((True, 0.82)), said((False, 0.82), about=OTHER_PLACE, begin=1e6)])
    assert moved(0.8, FOUND, near).score == pytest.approx(0.6)
    later = pd.concat([said((True, 0.82)), said((False, 0.82), begin=1e6)])
    assert moved(0.8, FOUND, later).score == 0.96


def test_what_names_no_place_is_like_its_own_source_only() -> None:
    window = Found("anomalous_window", destination=None, port=None, proto=None)
    verdicts = said((True, 0.82), about=window)
    assert moved(0.8, window, verdicts).score == pytest.approx(0.6)
    assert moved(0.8, replace(window, source="10.0.0.6"), verdicts).score == 0.8

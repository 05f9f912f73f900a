"""Thresholds of what findings measure."""

from __future__ import annotations

import json

import numpy as np

from analyzer.findings import Evidence
from analyzer.proposals import Cut, Proposal, Threshold, observed, thresholds_of
from tests.test_hosts import scan


def test_measures_are_those_that_every_finding_reaches() -> None:
    findings = [
        scan(
            evidence=(
                Evidence("failed hosts", 10 + k, threshold=7),
                Evidence("tail probability", 1e-6, threshold=1e-4),
                Evidence("answering hosts", 3),
                Evidence("pace", "fast", threshold=1),
                *([Evidence("bytes", 5e6, threshold=1e6, unit="B")] if k else []),
            )
        )
        for k in range(3)
    ]
    ((key, values),) = observed(findings).items()
    assert key == ("failed hosts", "", 7.0)
    assert np.array_equal(values, [10, 11, 12])
    assert thresholds_of(findings) == (Threshold("failed hosts", "", 7.0, 10.0, 3),)
    assert thresholds_of([scan(evidence=(Evidence("failed hosts", 7, threshold=7),))]) == ()
    assert observed([]) == {}


def test_in_words_and_plain() -> None:
    threshold = Threshold("bytes", "B", 1e6, 5e6, 1200)
    assert str(threshold) == "bytes: 5 MB instead of 1 MB keeps 1,200"
    cut = Cut(0.8, 4, 3, 0.75, 1.0, 6 / 7)
    proposal = Proposal("byte_burst", 9, 4, 3, cut, cut, None, None, (threshold,), ("said",))
    plain = json.loads(json.dumps(proposal.as_dict()))
    assert plain["best"]["score"] == 0.8
    assert plain["thresholds"][0]["proposed"] == 5e6
    assert plain["precise"] is None

"""What is known of a series besides its intervals."""

from __future__ import annotations

import math

from analyzer.detectors import Shared
from analyzer.detectors.beacon_context import described
from analyzer.detectors.beacon_series import connections, judged, series

from . import START, connection, holding, lookup


def test_sizes_answers_names_and_company() -> None:
    rows = [
        connection(
            300.0 * k,
            "10.0.0.5",
            "198.51.100.7",
            443,
            orig_p=40_000 + k,
            orig_bytes=100 * (k % 3 + 1),
            answered=k % 4 != 0,
        )
        for k in range(20)
    ]
    rows += [connection(-50, "10.0.0.6", "198.51.100.7", 443)]
    dns = [lookup(0, "10.0.0.5", "a.example.com", answers=["198.51.100.7"])]
    with holding(rows, dns) as records:
        shared = Shared()
        chosen = series(records, shared, fewest=8, shortest=60.0)
        own = connections(records, chosen, shared)
        best = judged(records, own, fewest=7)
        (row,) = described(records, best, chosen, shared).to_dict("records")
    assert (row["orig_h"], row["resp_h"], row["resp_p"]) == ("10.0.0.5", "198.51.100.7", 443)
    assert (row["connections"], row["answered"], row["ports"], row["addresses"]) == (20, 15, 20, 1)
    assert (row["out_typical"], row["out_spread"]) == (200.0, 0.5)
    assert math.isnan(row["in_typical"])
    assert (row["name"], row["domain"], row["direct"]) == ("a.example.com", "example.com", False)
    # By its domain, which one host asked for; not by its address, which two meet.
    assert row["sources"] == 1
    assert row["met_first"] == START - 50
    assert not row["by_name"]

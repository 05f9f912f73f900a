"""Samples: the same for the same records in any order, and fair."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.samples import MOST
from analyzer.baseline.summary import summarise
from analyzer.engine import Engine
from analyzer.public_suffix import suffix_rules

from . import FIRST, days

DAY = FIRST * 86400.0
HOSTS = 400


def rows(day: int = 0) -> list[dict[str, Any]]:
    """Many hosts that do the same three times, and one that does it a thousand times."""
    sources = [f"10.0.{n >> 8}.{n & 255}" for n in range(HOSTS) for _ in range(3)]
    sources += ["10.9.9.9"] * 1000
    return [
        {
            "ts": DAY + day * 86400.0 + 40.0 * place,
            "orig_h": source,
            "orig_p": 40_000,
            "resp_h": "192.0.2.1",
            "resp_p": 443,
            "proto": "tcp",
            "service": "ssl",
            "orig_bytes": 100,
            "resp_bytes": 100,
            "orig_pkts": 9,
            "duration": 1.0,
            "history": "ShADadFf",
        }
        for place, source in enumerate(sources)
    ]


def summed(records: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    with Engine() as engine:
        engine.insert("conn", records)
        known = engine.records()
        return summarise(known, lambda: known.keep(suffix_rules(), "suffix_rules"))


@pytest.fixture(scope="module")
def once() -> dict[str, pd.DataFrame]:
    return summed(rows())


def test_order_does_not_matter(once: dict[str, pd.DataFrame]) -> None:
    shuffled = rows()
    random.Random(1).shuffle(shuffled)  # noqa: S311 - a test
    again = summed(shuffled)
    for name in ("reference", "windows"):
        assert len(once[name]) > 100
        assert again[name].equals(once[name])


def test_alike_connections_are_there_once(once: dict[str, pd.DataFrame]) -> None:
    reference = once["reference"]
    assert reference.groupby("day").size().max() <= MOST
    keys = [name for name in reference if name not in ("mark", "connections")]
    assert not reference.duplicated(keys).any()
    # A host that does the same all day long is in no more rows than there are hours.
    assert (reference.source == "10.9.9.9").sum() <= 24
    first = reference.iloc[0]
    assert (first.port, first.proto, first.application) == (443, "tcp", "ssl")
    assert (first.outside, first.answered, first.packets_out) == (True, True, 7)


def test_two_parts_make_the_whole(once: dict[str, pd.DataFrame]) -> None:
    whole, records = Baseline().joined({"days": days(FIRST), **once}), rows()
    parts = [summed(records[::2]), summed(records[1::2])]
    joined = Baseline()
    for part in parts:
        joined = joined.joined(part)
    keys = ["source", "hour", "mark"]
    assert joined["reference"][keys].equals(whole["reference"][keys])
    # What is alike in both parts was counted in both.
    assert joined["reference"].connections.equals(whole["reference"].connections)


def test_days_have_samples_of_their_own(once: dict[str, pd.DataFrame]) -> None:
    both = summed([*rows(), *rows(2)])
    for name in ("reference", "windows"):
        first = both[name][both[name].day == FIRST].reset_index(drop=True)
        assert first.equals(once[name][once[name].day == FIRST].reset_index(drop=True))


def test_a_flood_does_not_drown_the_others(once: dict[str, pd.DataFrame]) -> None:
    with Engine() as engine:
        held = [column.name for column in engine.columns["conn"]]
        one = pa.Table.from_pylist([dict.fromkeys(held) | rows()[0] | {"orig_h": "10.8.8.8"}])
        engine.insert("conn", rows())
        engine.append("conn", one.take(pa.array([0] * 500_000)))
        flooded = summarise(engine.records())["reference"]
    is_flood = flooded.source == "10.8.8.8"
    assert flooded[is_flood].connections.tolist() == [500_000.0]
    assert flooded[~is_flood].reset_index(drop=True).equals(once["reference"])


def test_windows_count(once: dict[str, pd.DataFrame]) -> None:
    busy = once["windows"][once["windows"].source == "10.9.9.9"]
    inner = busy[busy.connections >= 7]
    assert len(inner) > 0
    assert set(inner.connections) <= {7.0, 8.0}
    assert (inner.bytes_out == 100.0 * inner.connections).all()
    assert (inner.destinations == 1.0).all()
    assert (inner.ports == 1.0).all()
    assert (inner.failed == 0.0).all()

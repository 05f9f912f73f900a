"""What hosts usually send outside."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analyzer.detectors import Shared
from analyzer.detectors.uploads import Usual, population, uploads, usual_of

from . import DAY, Row, connection, holding

TOWARDS = Usual(busy=math.log(12_001.0), scale=0.8, samples=0)


def sent(second: float, source: str, destination: str, size: int, **columns: object) -> Row:
    row = connection(second, source, destination, 443)
    return row | {"orig_bytes": size, "resp_bytes": 10} | columns


def test_a_row_per_pair_and_half_day() -> None:
    rows = [
        sent(0, "10.0.0.5", "203.0.113.9", 100),
        sent(9, "10.0.0.5", "203.0.113.9", 50, resp_p=80),
        sent(DAY / 2, "10.0.0.5", "203.0.113.9", 7),
        sent(0, "10.0.0.5", "10.0.0.9", 1000),
        sent(0, "203.0.113.9", "10.0.0.5", 1000),
        sent(0, "10.0.0.5", "203.0.113.9", 1000, proto="icmp"),
        sent(0, "10.0.0.5", "203.0.113.7", 1000, conn_state="S0", history="S"),
    ]
    with holding(rows) as records:
        table = uploads(records, Shared()).order_by("half_day").to_pandas()
    assert table.sent.to_list() == [150.0, 7.0]
    assert table.received.to_list() == [20.0, 10.0]
    assert table.connections.to_list() == [2, 1]


def test_few_samples_say_little() -> None:
    assert usual_of(np.array([]), TOWARDS) == TOWARDS
    one = usual_of(np.array([1e9]), TOWARDS)
    assert one.samples == 1
    assert one.busy == pytest.approx((math.log1p(1e9) + 10 * TOWARDS.busy) / 11)
    assert one.scale == pytest.approx(0.8 * 10 / 11)


def test_many_samples_say_all_but_a_steady_host_is_not_blind() -> None:
    steady = usual_of(np.full(100_000, 5e6), TOWARDS)
    assert steady.busy == pytest.approx(math.log1p(5e6), abs=0.01)
    assert steady.scale == 0.3
    assert steady.above(5e9) == pytest.approx(math.log(1000) / 0.3, rel=0.01)


def test_the_tail_of_a_population() -> None:
    rng = np.random.default_rng(1)
    rows = [
        sent(float(k), f"10.0.0.{k % 20}", f"198.51.{k // 200}.{k % 200}", int(size))
        for k, size in enumerate(np.exp(rng.normal(8.0, 1.0, 3000)))
    ]
    with holding(rows) as records:
        table = uploads(records, Shared())
        everyone = population(table)
    assert everyone.samples == 3000
    assert everyone.tail.support == 60
    assert everyone.usual.samples == 20
    # A normal's 90% quantile, and the factor e in scale from there on that halves it.
    assert everyone.usual.busy == pytest.approx(9.3, abs=0.2)
    ordinary, huge = everyone.tail.probability([1.0, everyone.usual.above(1e8)])
    assert ordinary == 1.0
    assert huge < 1e-4


def test_nobody_sends_anything() -> None:
    with holding([]) as records:
        nobody = population(uploads(records, Shared()))
    assert (nobody.samples, nobody.usual.samples) == (0, 0)
    assert nobody.usual.busy == pytest.approx(math.log(12_000))

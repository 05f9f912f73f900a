"""Rows come out in order of time, each once, those of one moment as they came."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.engine import Engine
from analyzer.replay.ordering import OrderedRows, Span
from analyzer.replay.reading import Row
from analyzer.replay.shapes import Shape

SHAPES = (Shape("conn", "json"), Shape("dns", "json"))


def ordered(rows: list[Row], memory_limit: str = "256MiB") -> tuple[list[Row], dict[Shape, Span]]:
    with Engine(memory_limit=memory_limit) as engine:
        kept = OrderedRows(engine)
        kept.fill(rows)
        assert kept.count == len(rows)
        return [row for batch in kept.batches() for row in batch], kept.spans


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.builds(
            Row,
            st.sampled_from([1.0, 1.5, 2.0]) | st.floats(0, 1e10),
            st.sampled_from(SHAPES),
            st.binary(max_size=8),
        )
    )
)
def test_as_a_stable_sort(rows: list[Row]) -> None:
    found, spans = ordered(rows)
    assert found == sorted(rows, key=lambda row: row.moment)
    for shape, span in spans.items():
        moments = [row.moment for row in rows if row.shape == shape]
        assert span == (min(moments), max(moments))


def test_more_than_a_batch() -> None:
    generator = random.Random(1)  # noqa: S311 - rows, not secrets
    rows = [Row(generator.random(), SHAPES[n % 2], b"x%d" % n) for n in range(100_000)]
    found, _ = ordered(rows)
    assert found == sorted(rows, key=lambda row: row.moment)

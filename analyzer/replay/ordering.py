"""Rows in the order in which Zeek logged them, on disk where memory ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa

from analyzer.engine import Engine, out_of_resources
from analyzer.replay.reading import Row
from analyzer.replay.shapes import Shape

_BATCH = 1 << 15
"""Rows handed over at once."""

_SCHEMA = pa.schema(
    [
        ("moment", pa.float64()),
        ("number", pa.int64()),
        ("shape", pa.int32()),
        ("data", pa.binary()),
    ]
)


class Span(NamedTuple):
    """From when to when the rows of a shape were logged, UTC epoch seconds."""

    first: float
    last: float


class OrderedRows:
    """Rows that are put in as they come and taken out in order of time.

    Rows of the same moment stay in the order in which they were put in, so the same input gives
    the same order.

    Args:
        engine: where they are kept and sorted.
    """

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connection
        self._connection.execute(
            "CREATE TABLE replayed (moment DOUBLE, number BIGINT, shape INTEGER, data BLOB)"
        )
        self._shapes: dict[Shape, int] = {}
        self.spans: dict[Shape, Span] = {}
        self.count = 0

    def fill(self, rows: Iterable[Row]) -> None:
        """Put rows in.

        Raises:
            ResourceError: memory or disk ran out.
        """
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            if len(batch) == _BATCH:
                self._add(batch)
                batch = []
        if batch:
            self._add(batch)

    def _add(self, batch: list[Row]) -> None:
        indices = []
        for moment, shape, _ in batch:
            indices.append(self._shapes.setdefault(shape, len(self._shapes)))
            first, last = self.spans.get(shape, (moment, moment))
            self.spans[shape] = Span(min(first, moment), max(last, moment))
        numbers = range(self.count, self.count + len(batch))
        table = pa.table(
            [
                [row.moment for row in batch],
                list(numbers),
                indices,
                [row.data for row in batch],
            ],
            schema=_SCHEMA,
        )
        self.count += len(batch)
        self._connection.register("some_rows", table)
        with out_of_resources():
            self._connection.execute("INSERT INTO replayed SELECT * FROM some_rows")
        self._connection.unregister("some_rows")

    def batches(self) -> Iterator[list[Row]]:
        """All rows in order, some at a time.

        Raises:
            ResourceError: memory or disk ran out.
        """
        shapes = list(self._shapes)
        with out_of_resources():
            ordered = self._connection.execute(
                "SELECT moment, shape, data FROM replayed ORDER BY moment, number"
            )
            while found := ordered.fetchmany(_BATCH):
                yield [Row(moment, shapes[shape], data) for moment, shape, data in found]

"""Fingerprints of records that came together, by which they are known again.

The records of one log and hour that come together are a piece. Its fingerprint is how many they
are and the sum of their marks: the same in any order, format and compression. A few of their marks,
the smallest (a bottom-k sketch: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC
2007), stand for all and tell whether records that come later hold the piece, or share anything with
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pyarrow as pa

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.samples import scattered
from analyzer.baseline.tables import LAYOUTS
from analyzer.features import HOUR

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

TRACES = 16
"""Marks that stand for a piece. Of a piece of which a fifth comes again, one in ten thousand times
fewer than two of them would be seen if there were 50, and one time in seven with 16; of one that
comes again as a whole, all are."""

_MARKS = 2**31
# So many times more than are kept, as the marks under a limit are not exactly as many as expected.
_SLACK = 4
_PIECES, _TRACES = LAYOUTS["pieces"], LAYOUTS["traces"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one hour.

    Attributes:
        mark: the sum of the marks of its records.
        records: how many there are.
        first: time of the earliest, UTC epoch seconds.
        last: time of the latest.
    """

    mark: int
    records: int
    first: float
    last: float


def hour_of(table: ir.Table) -> ir.IntegerValue:
    """The hour of each row, since 1970."""
    return (table.ts / HOUR).floor().cast("int32")


def marked_rows(table: ir.Table) -> ir.Table:
    """``hour ts mark`` of every record; the mark depends on what every format writes alike.

    Milliseconds, as Zeek's JSON may have no more; no bytes, as they are not final while a
    connection is open; no address, as those of a baseline may be hashed.
    """
    ports = table.orig_p.fill_null(0).cast("int64") * 2**16 + table.resp_p.fill_null(0)
    return table.select("ts", hour=hour_of(table), mark=scattered(_milliseconds(table.ts), ports))


def _milliseconds(ts: ir.FloatingValue) -> ir.IntegerValue:
    # Cut off, as Zeek does; times are whole microseconds that floats hold to a quarter of one.
    return (ts * 1000.0 + 0.0005).floor().cast("int64")


def pieces_of(marked: ir.Table) -> dict[int, Piece]:
    """The fingerprint of each hour."""
    table = marked.group_by("hour").aggregate(
        total=marked.mark.sum().cast("int64"),
        records=marked.count(),
        begun=marked.ts.min(),
        ended=marked.ts.max(),
    )
    rows = table.to_pyarrow().to_pylist()
    return {
        row["hour"]: Piece(int(row["total"]), int(row["records"]), row["begun"], row["ended"])
        for row in rows
    }


def traces_of(
    log: str, pieces: Sequence[tuple[int, Piece]], marked: ir.Table, records: Records
) -> pd.DataFrame:
    """The smallest marks of pieces.

    Args:
        log: conn or dns.
        pieces: with their hours.
        marked: the rows that they are of, see :func:`marked_rows`.
        records: keeps what is asked for.

    Returns:
        Rows of the table ``traces``.
    """
    if not pieces:
        return _TRACES.empty()
    rows = pa.table(
        {
            "hour": pa.array([hour for hour, _ in pieces], pa.int32()),
            "piece": pa.array([piece.mark for _, piece in pieces], pa.int64()),
            "highest": pa.array(
                [_MARKS * _SLACK * TRACES // max(piece.records, 1) for _, piece in pieces],
                pa.int64(),
            ),
        }
    )
    wanted = records.keep(rows, f"baseline_pieces_{log}")
    small = marked.join(wanted, "hour")
    small = small.filter(small.mark <= small.highest).select("hour", "piece", "mark").distinct()
    order = ibis.row_number().over(group_by="hour", order_by="mark")
    small = small.mutate(order=order)
    frame = small.filter(small.order < TRACES).to_pyarrow().to_pandas()
    return _TRACES.joined(frame.assign(log=log)[_TRACES.schema.names])


def settled(baseline: Baseline) -> Baseline:
    """The baseline with one piece for each hour of each log of the days that are over.

    Records of such an hour that come again with others are told all the same; only what little is
    left of them in time is not told apart from news any more.
    """
    pieces, traces = baseline["pieces"], baseline["traces"]
    if pieces.empty:
        return baseline
    newest = int(pieces.hour.max()) // 24
    past = pieces[pieces.hour < newest * 24]
    if not past.duplicated(["log", "hour"]).any():
        return baseline
    whole = past.groupby(["log", "hour"], as_index=False).agg(
        mark=("mark", "sum"),
        records=("records", "sum"),
        first=("first", "min"),
        last=("last", "max"),
    )
    old = traces[traces.hour < newest * 24].drop(columns="piece")
    old = old.drop_duplicates().sort_values(["log", "hour", "mark"], kind="stable")
    old = old.groupby(["log", "hour"]).head(TRACES)
    named = old.merge(whole[["log", "hour", "mark"]].rename(columns={"mark": "piece"}))
    tables = dict(baseline.tables)
    tables["pieces"] = _PIECES.joined(pd.concat([whole, pieces[pieces.hour >= newest * 24]]))
    tables["traces"] = _TRACES.joined(pd.concat([named, traces[traces.hour >= newest * 24]]))
    return replace(baseline, tables=tables)

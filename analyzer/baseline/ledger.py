"""What a baseline has learned already, so that nothing is ever learned twice.

What was learned is told by pieces (:mod:`analyzer.baseline.pieces`). Zeek writes a connection when
it ends, so that the records of an hour come with several files; they add up here.

Of the records of an hour that come later,

* those that are just pieces that are known are left out;
* those that share nothing with them are news;
* of those that share something, only what is of times that no such piece spans is certain to be
  news: the rest is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from analyzer.baseline.pieces import Piece, hour_of, marked_rows, pieces_of, traces_of
from analyzer.baseline.tables import LAYOUTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.baseline.baseline import Baseline
    from analyzer.records import Records

_FEWEST_SEEN = 2
"""So many marks of a large piece must be seen again: one may be another record's by chance."""

_LOGS = ("conn", "dns")
_FINGERPRINT = ["hour", "mark", "records", "first", "last"]
_PIECES = LAYOUTS["pieces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What of some records a baseline does not know.

    Attributes:
        records: the records that it does not know.
        tables: ``pieces`` and ``traces`` to join to it, once they are learned.
        known: records of each log that are known.
        partly: records of each log that were left out as records of their hour are known, and it
            cannot be told which.
    """

    records: Records
    tables: Mapping[str, pd.DataFrame]
    known: Mapping[str, int] = field(default_factory=dict)
    partly: Mapping[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many records are news."""
        return sum(self.records.counts.values())


@dataclass(slots=True)
class _Found:
    """What becomes of the records of one log."""

    new: list[tuple[int, Piece]] = field(default_factory=list)
    # Hours of which something is known, and the span that is left out of each.
    spans: dict[int, tuple[float, float]] = field(default_factory=dict)
    learned: int = 0
    known: int = 0
    partly: int = 0


def news(records: Records, baseline: Baseline) -> News:
    """What of some records a baseline does not know, and what it then knows of them."""
    parts = {log: _news_of(log, records, baseline) for log in _LOGS}
    counts = {log: part.learned for log, (part, _, _) in parts.items()}
    pieces = [
        (log, hour, piece.mark, piece.records, piece.first, piece.last)
        for log, (part, _, _) in parts.items()
        for hour, piece in part.new
    ]
    frame = pd.DataFrame(pieces, columns=_PIECES.schema.names)
    traces = [traces for _, _, traces in parts.values()]
    return News(
        records=replace(
            records,
            conn=parts["conn"][1],
            dns=parts["dns"][1],
            counts=counts,
            first=min((piece[4] for piece in pieces), default=None),
            last=max((piece[5] for piece in pieces), default=None),
        ),
        tables={
            "pieces": _PIECES.joined(
                pd.concat([_PIECES.empty(), frame]) if pieces else _PIECES.empty()
            ),
            "traces": LAYOUTS["traces"].joined(pd.concat(traces, ignore_index=True)),
        },
        known={log: part.known for log, (part, _, _) in parts.items()},
        partly={log: part.partly for log, (part, _, _) in parts.items()},
    )


def _news_of(
    log: str, records: Records, baseline: Baseline
) -> tuple[_Found, ir.Table, pd.DataFrame]:
    """What becomes of the records of one log, those that are news, and their traces."""
    table = records.conn if log == "conn" else records.dns
    marked = marked_rows(table)
    come = pieces_of(marked)
    met = _met(log, baseline["pieces"], come)
    found = _Found()
    if met:
        _recognise(met, log, marked, records, baseline["traces"])
    for hour, piece in sorted(come.items()):
        known = met.get(hour)
        if known is None or not known.shared:
            found.new.append((hour, piece))
            found.learned += piece.records
        elif known.is_all_of(piece):
            found.spans[hour] = piece.first, piece.last
            found.known += piece.records
        else:
            found.spans[hour] = known.span
    if found.spans:
        table = _outside(table, found.spans, f"baseline_known_{log}", records)
        marked = marked_rows(table)
        beyond = pieces_of(marked.filter(marked.hour.isin(sorted(found.spans))))
        for hour in sorted(found.spans):
            if not met[hour].is_all_of(come[hour]):
                _part(found, hour, come[hour], beyond.get(hour), met[hour])
    return found, table, traces_of(log, found.new, marked, records)


def _met(log: str, pieces: pd.DataFrame, come: Collection[int]) -> dict[int, _Known]:
    """What is known of the hours that have come."""
    met: dict[int, _Known] = {}
    rows = pieces.loc[pieces.log == log, _FINGERPRINT].itertuples(index=False, name=None)
    for hour, mark, records, first, last in rows:
        if hour in come:
            met.setdefault(hour, _Known()).pieces.append(Piece(mark, records, first, last))
    return met


def _part(found: _Found, hour: int, piece: Piece, rest: Piece | None, known: _Known) -> None:
    """Part the records of an hour that share something with what is known.

    Args:
        found: where it is noted.
        hour: the hour.
        piece: all records that came.
        rest: those of times that are not known.
        known: what is known.
    """
    inside = piece.records - (rest.records if rest else 0)
    certain = min(inside, known.records)
    found.known += certain
    found.partly += inside - certain
    if rest is not None:
        found.new.append((hour, known.remainder(piece, rest)))
        found.learned += rest.records


class _Known:
    """What is known of one hour."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._whole: list[Piece] = []
        self.shared: list[Piece] = []

    def see(self, traces: Mapping[int, Collection[int]], seen: Collection[int]) -> None:
        """Take note of which marks of the pieces were seen again.

        Args:
            traces: marks of each piece.
            seen: those that were seen.
        """
        for piece in self.pieces:
            own = traces.get(piece.mark, ())
            again = sum(trace in seen for trace in own)
            if own and again >= min(len(own), _FEWEST_SEEN):
                self.shared.append(piece)
                if again == len(own):
                    self._whole.append(piece)

    @property
    def records(self) -> int:
        """Records of the pieces of which something was seen again."""
        return sum(piece.records for piece in self.shared)

    @property
    def span(self) -> tuple[float, float]:
        """From the first to the last of them."""
        return min(piece.first for piece in self.shared), max(piece.last for piece in self.shared)

    def is_all_of(self, piece: Piece) -> bool:
        """Whether records are just pieces that are known."""
        return (piece.records, piece.mark) == _sum(self._whole)

    def remainder(self, piece: Piece, rest: Piece) -> Piece:
        """What is to be known of records beside the pieces they share something with.

        Args:
            piece: all records that came.
            rest: those of them that are of other times.
        """
        records, mark = _sum(self._whole)
        if len(self._whole) < len(self.shared) or piece.records <= records or piece.mark <= mark:
            return rest
        # With what could not be told apart: then the same records are known when they come again.
        return replace(rest, records=piece.records - records, mark=piece.mark - mark)


def _sum(pieces: Sequence[Piece]) -> tuple[int, int]:
    return sum(piece.records for piece in pieces), sum(piece.mark for piece in pieces)


def _recognise(
    met: Mapping[int, _Known], log: str, marked: ir.Table, records: Records, traces: pd.DataFrame
) -> None:
    """Look for the traces of what is known among the records that have come."""
    own = traces[(traces.log == log) & traces.hour.isin(list(met))]
    rows = pa.table(
        {
            "hour": pa.array(own.hour, pa.int32()),
            "mark": pa.array(own.mark, pa.int64()),
        }
    )
    wanted = records.keep(rows, f"baseline_traces_{log}").distinct()
    seen = marked.select("hour", "mark").semi_join(wanted, ["hour", "mark"]).distinct()
    again: dict[int, set[int]] = {}
    for row in seen.to_pyarrow().to_pylist():
        again.setdefault(row["hour"], set()).add(row["mark"])
    by_piece: dict[int, dict[int, list[int]]] = {}
    for hour, piece, mark in own[["hour", "piece", "mark"]].itertuples(index=False, name=None):
        by_piece.setdefault(hour, {}).setdefault(piece, []).append(mark)
    for hour, known in met.items():
        known.see(by_piece.get(hour, {}), again.get(hour, set()))


def _outside(
    table: ir.Table, spans: Mapping[int, tuple[float, float]], name: str, records: Records
) -> ir.Table:
    """The records that no span of their hour holds."""
    if not spans:
        return table
    hours = sorted(spans)
    rows = pa.table(
        {
            "known_hour": pa.array(hours, pa.int32()),
            "known_from": pa.array([spans[hour][0] for hour in hours], pa.float64()),
            "known_to": pa.array([spans[hour][1] for hour in hours], pa.float64()),
        }
    )
    held = records.keep(rows, name)
    joined = table.left_join(held, [hour_of(table) == held.known_hour])
    new = joined.known_hour.isnull() | ~joined.ts.between(joined.known_from, joined.known_to)
    return joined.filter(new).drop(*held.columns)

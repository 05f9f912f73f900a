"""How the tables of a baseline are laid out in a file, so that a large network's stays small.

Rows of days that are over lie on a grid, so that little is new in them: their columns become ranks
in lists of what occurs (:mod:`analyzer.baseline.ranking`), folded days lie side by side
(:mod:`analyzer.baseline.sequences`), and addresses are steps in a list of addresses. What is not on
the grid lies beside it as it is. Any tool that can join tables reads it; the card of the file says
what belongs to what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.baseline.bins import coarse
from analyzer.baseline.layout import Layout
from analyzer.baseline.ranking import Ranked
from analyzer.baseline.sequences import BEFORE, Sequences
from analyzer.baseline.tables import LAYOUTS

RANKED: dict[str, tuple[Ranked, ...]] = {
    "hours": (
        Ranked(("connections",)),
        Ranked(("queries",), ("connections",)),
        Ranked(("destinations", "outside"), ("connections", "queries")),
        Ranked(("bytes_out",), ("connections", "destinations")),
        Ranked(("bytes_in",), ("bytes_out", "destinations")),
        Ranked(("busiest",), ("connections", "destinations")),
        Ranked(("failed",), ("connections", "destinations")),
    ),
    "ports": (Ranked(("connections", "bytes_out"), ("proto", "port")),),
    "lookups": (
        Ranked(("queries", "names")),
        Ranked(("domains",), ("names",)),
        Ranked(("refused",), ("names",)),
        Ranked(("letters",), ("names",)),
    ),
    "peers": (Ranked(("peer",)), Ranked(("first_day", "last_day"))),
}
"""The columns of a table that are stored as ranks, in the order in which they are read."""

STEP = "peer.step"
"""The column of ``peers`` that says how far down the list of addresses the next peer is."""

_SEQUENCES = {name: Sequences(layout) for name, layout in LAYOUTS.items() if layout.folded}


@dataclass(frozen=True, slots=True)
class Stored:
    """A table of a file.

    Attributes:
        meaning: what a row is.
        schema: its columns.
        columns: what each of them means.
    """

    meaning: str
    schema: pa.Schema
    columns: Mapping[str, str]


def stored_tables() -> dict[str, Stored]:
    """All tables of a file, by name."""
    tables: dict[str, Stored] = {}
    for name, layout in LAYOUTS.items():
        said = {field.name: field.meaning for field in layout.fields}
        schema = layout.schema
        if name in _SEQUENCES:
            tables |= _stored_sequences(_SEQUENCES[name], said)
        for ranked in RANKED.get(name, ()):
            kept = [field for field in schema if field.name not in ranked.columns]
            schema = pa.schema([*kept, pa.field(ranked.rank_name, pa.int32())])
            listed = pa.schema([layout.schema.field(column) for column in ranked.names])
            columns = {column: said[column] for column in ranked.names}
            meaning = "what occurs together, the commonest first"
            tables[f"{name}.{ranked.list_name}"] = Stored(meaning, listed, columns)
            said[ranked.rank_name] = ranked.meaning(name)
        if name == "peers":
            said[STEP] = "rows of peers.peer after that of the row before, of one source; first, +1"
            names = [STEP if each == "peer.rank" else each for each in schema.names]
            schema = pa.schema([schema.field(i).with_name(each) for i, each in enumerate(names)])
        if name not in _SEQUENCES:
            columns = {column: said[column] for column in schema.names}
            tables[name] = Stored(layout.meaning, schema, columns)
        if name in _SEQUENCES or _rounded(name):
            columns = {field.name: field.meaning for field in layout.fields}
            meaning = f"{layout.meaning}; those that are not in {name}"
            tables[f"{name}.exact"] = Stored(meaning, layout.schema, columns)
    return tables


def _stored_sequences(sequences: Sequences, said: Mapping[str, str]) -> dict[str, Stored]:
    name, count = sequences.layout.name, sequences.count
    ranks = {
        column: f"rank in {name}.{count}, given the count of the column before (0 before the "
        f"first), on the day of row {place} of {name}.days"
        for place, column in enumerate(sequences.names)
    }
    return {
        name: Stored(
            f"{sequences.layout.meaning}; its days side by side",
            sequences.schema,
            {**{key: said[key] for key in sequences.keys}, **ranks},
        ),
        f"{name}.days": Stored("days side by side", sequences.days_schema, {"day": said["day"]}),
        f"{name}.{count}": Stored(
            "counts that follow a count, the commonest first",
            sequences.counts_schema,
            {BEFORE: "count of the day before; 0 if none", count: f"{said[count]}; 0 if none"},
        ),
    }


def _rounded(name: str) -> list[str]:
    """The ranked columns of a table that past days keep on the grid."""
    ranked = {column for each in RANKED.get(name, ()) for column in each.columns}
    return [field.name for field in LAYOUTS[name].fields if field.coarse and field.name in ranked]


def packed(tables: Mapping[str, pd.DataFrame]) -> dict[str, pa.Table]:
    """The tables of a baseline as they are stored."""
    stored: dict[str, pa.Table] = {}
    for name, layout in LAYOUTS.items():
        frame = tables[name]
        if name in _SEQUENCES:
            sequences = _SEQUENCES[name]
            side, counts, days, frame = sequences.packed(frame)
            stored |= {name: side, f"{name}.{sequences.count}": counts, f"{name}.days": days}
            stored[f"{name}.exact"] = _table(layout, frame)
            continue
        if rounded := _rounded(name):
            values = frame[rounded].to_numpy()
            is_exact = (coarse(values) != values).any(axis=1)
            stored[f"{name}.exact"] = _table(layout, frame[is_exact])
            frame = frame[~is_exact]
        table = whole = _table(layout, frame)
        for ranked in RANKED.get(name, ()):
            rank, stored[f"{name}.{ranked.list_name}"] = ranked.packed(whole)
            table = table.append_column(ranked.rank_name, rank)
        stored[name] = _stepped(table) if name == "peers" else table
    return {
        name: stored[name].select(each.schema.names).replace_schema_metadata()
        for name, each in stored_tables().items()
    }


def _table(layout: Layout, frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, layout.schema, preserve_index=False)


def _stepped(peers: pa.Table) -> pa.Table:
    """Addresses as steps: those of one source rise."""
    peers = peers.sort_by([("source", "ascending"), ("peer.rank", "ascending")])
    rank, begin = _risen(peers, "peer.rank")
    step = np.diff(rank, prepend=-1)
    step[begin] = rank[begin] + 1
    return peers.drop_columns(["peer.rank"]).append_column(STEP, pa.array(step, pa.int32()))


def _unstepped(peers: pa.Table) -> pa.Table:
    step, begin = _risen(peers, STEP)
    total = np.cumsum(step)
    source = np.cumsum(begin) - 1
    rank = total - (total - step)[begin][source] - 1
    return peers.drop_columns([STEP]).append_column("peer.rank", pa.array(rank))


def _risen(peers: pa.Table, column: str) -> tuple[np.ndarray, np.ndarray]:
    """A column, and whether each row is the first of its source."""
    source = peers["source"].combine_chunks().dictionary_encode().indices
    return np.asarray(peers[column], np.int64), np.diff(np.asarray(source), prepend=-1) != 0


def unpacked(stored: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables of a baseline from those of a file, rows in order of their keys.

    Raises:
        ValueError: a rank is in no list.
    """
    tables = {}
    for name, layout in LAYOUTS.items():
        table = stored[name]
        try:
            if name in _SEQUENCES:
                each = _SEQUENCES[name]
                table = each.unpacked(table, stored[f"{name}.{each.count}"], stored[f"{name}.days"])
            if name == "peers":
                table = _unstepped(table)
            for ranked in RANKED.get(name, ()):
                table = ranked.unpacked(table, stored[f"{name}.{ranked.list_name}"])
        except ValueError as error:
            raise ValueError(f"table {name}: {error}") from error
        table = table.select(layout.schema.names)
        if f"{name}.exact" in stored:
            table = pa.concat_tables([table, stored[f"{name}.exact"]])
        if name in RANKED or name in _SEQUENCES:
            table = table.sort_by([(key, "ascending") for key in layout.keys])
        tables[name] = table
    return tables

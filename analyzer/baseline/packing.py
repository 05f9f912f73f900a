"""How the tables of a baseline are laid out in a file, so that a large network's stays small.

What goes together is stored together: columns that say nearly the same of a row (hosts met, and
those of them outside) are one column of places in a list of what they say together, which comes as
a table of its own, the commonest first. Peers are places in a list of addresses likewise. Any tool
that can join tables reads it; the card of the file says what belongs to what.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.baseline.tables import LAYOUTS, Layout

TOGETHER: dict[str, tuple[tuple[str, ...], ...]] = {
    "hours": (
        ("connections", "queries"),
        ("bytes_out", "bytes_in"),
        ("destinations", "outside"),
        ("failed", "busiest"),
    ),
    "ports": (("connections", "bytes_out"),),
    "peers": (("peer",), ("first_day", "last_day")),
}
"""The columns of a table that are stored together; one alone is a list of what it holds."""


def list_name(table: str, columns: tuple[str, ...]) -> str:
    """The name of the list of what columns hold together."""
    return f"{table}.{'+'.join(columns)}"


def place_name(columns: tuple[str, ...]) -> str:
    """The name of the column of places in it."""
    return f"{'+'.join(columns)}.row"


def stored_schemas() -> dict[str, pa.Schema]:
    """The schemas of all tables of a file, by name."""
    schemas = {}
    for name, layout in LAYOUTS.items():
        together = TOGETHER.get(name, ())
        apart = [field for field in layout.schema if not any(field.name in g for g in together)]
        places = [pa.field(place_name(columns), pa.int32()) for columns in together]
        schemas[name] = pa.schema([*apart, *places])
        for columns in together:
            listed = [layout.schema.field(column) for column in columns]
            schemas[list_name(name, columns)] = pa.schema(listed)
    return schemas


def meanings() -> dict[str, dict[str, str]]:
    """What every column of every table of a file means, by name."""
    said = {}
    for name, schema in stored_schemas().items():
        layout = LAYOUTS[name.partition(".")[0]]
        known = {field.name: field.meaning for field in layout.fields}
        places = {
            place_name(columns): f"row of {list_name(layout.name, columns)}, from 0"
            for columns in TOGETHER.get(layout.name, ())
        }
        said[name] = {column: {**known, **places}[column] for column in schema.names}
    return said


def packed(tables: Mapping[str, pd.DataFrame]) -> dict[str, pa.Table]:
    """The tables of a baseline as they are stored."""
    stored = {}
    for name, layout in LAYOUTS.items():
        table = pa.Table.from_pandas(tables[name], layout.schema, preserve_index=False)
        for columns in TOGETHER.get(name, ()):
            table, listed = _apart(table, columns)
            stored[list_name(name, columns)] = listed
        stored[name] = _in_order(table, layout).replace_schema_metadata()
    return {name: stored[name].select(schema.names) for name, schema in stored_schemas().items()}


def _apart(table: pa.Table, columns: tuple[str, ...]) -> tuple[pa.Table, pa.Table]:
    """A table with places in a list instead of columns, and the list."""
    names = list(columns)
    numbered = table.append_column("at", pa.array(range(len(table)), pa.int64()))
    listed = table.select(names).group_by(names).aggregate([([], "count_all")])
    order = [("count_all", "descending"), *((name, "ascending") for name in names)]
    listed = listed.sort_by(order).drop_columns(["count_all"])
    places = listed.append_column("place", pa.array(range(len(listed)), pa.int32()))
    found = numbered.select(["at", *names]).join(places, names).sort_by("at")
    place = found["place"].combine_chunks()
    return table.drop_columns(names).append_column(place_name(columns), place), listed


def _in_order(table: pa.Table, layout: Layout) -> pa.Table:
    """Rows as they lie closest: addresses of one source rise."""
    if layout.name != "peers":
        return table
    return table.sort_by([("source", "ascending"), (place_name(("peer",)), "ascending")])


def unpacked(stored: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables of a baseline from those of a file, rows in order of their keys.

    Raises:
        ValueError: a place is in no list.
    """
    tables = {}
    for name, layout in LAYOUTS.items():
        table = stored[name]
        for columns in TOGETHER.get(name, ()):
            listed, place = stored[list_name(name, columns)], table[place_name(columns)]
            bounds = pc.min_max(place).as_py()
            if len(place) and not 0 <= bounds["min"] <= bounds["max"] < len(listed):
                raise ValueError(f"table {name} has places that {list_name(name, columns)} lacks")
            taken = listed.take(place)
            for column in columns:
                table = table.append_column(column, taken[column])
        table = table.select(layout.schema.names)
        if name in TOGETHER:
            table = table.sort_by([(key, "ascending") for key in layout.keys])
        tables[name] = table
    return tables

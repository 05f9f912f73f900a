"""A baseline as one file: a zip archive of a card (JSON) and a Parquet file a table.

Any tool opens it: archives and Parquet are read everywhere, and the card says what every column
means. Nothing in it is code or is unpickled; what a reader relies on is checked as it is read, so
that a file of a later version, a damaged one, or something else altogether is refused with a reason
and left as it was. Equal baselines make equal files.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analyzer.atomic import atomic_write_bytes
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.layout import Layout
from analyzer.baseline.packing import packed, stored_tables, unpacked
from analyzer.baseline.tables import LAYOUTS, VERSION
from analyzer.errors import BaselineError, Location

FORMAT = "zeek-analyzer baseline"
"""What the card of every baseline says it is."""

MODE = 0o600
"""A baseline says who talks with whom: it is its owner's alone."""

MOST_BYTES = 256 * 2**20
"""Bytes of the largest file that is read, fifty times what a thousand hosts need."""

MOST_UNPACKED = 2**31
"""Bytes that the tables of a file may say they unpack to."""

MOST_WINDOW = 3660
"""Days of the longest window."""

_CARD = "card.json"
_MOST_CARD = 2**20
# The earliest moment that a zip archive knows; when it was written is nobody's business.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_LEVEL = 15
_BATCH_ROWS = 2**16
_STORED = stored_tables()
_DAMAGED = (
    zipfile.BadZipFile,
    pa.ArrowException,
    OSError,
    ValueError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    EOFError,
    RecursionError,
)


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write a baseline to a file that only its owner can read, all of it or nothing.

    Raises:
        OutputError: the file cannot be written.
    """
    content = baseline_bytes(baseline)
    with atomic_write_bytes(path, mode=MODE) as stream:
        stream.write(content)


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        BaselineError: there is none that this version can read; the message says why.
    """
    return parse_baseline(baseline_content(path), str(path))


def baseline_content(path: Path) -> bytes:
    """The bytes of a baseline's file, not looked at yet.

    Raises:
        BaselineError: the file cannot be read, or is too large for a baseline.
    """
    where = Location(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BaselineError(f"cannot be read: {error.strerror or error}", where) from error
    if len(content) > MOST_BYTES:
        raise BaselineError(f"is no baseline: larger than {MOST_BYTES >> 20} MiB", where)
    return content


def baseline_bytes(baseline: Baseline) -> bytes:
    """The content of a baseline's file."""
    stored = packed(baseline.tables)
    with ThreadPoolExecutor() as pool:
        files = dict(zip(stored, pool.map(_file, stored.values()), strict=True))
    card = {
        "format": FORMAT,
        "version": VERSION,
        "window": baseline.window,
        "learned": baseline.learned,
        "key_check": baseline.key_check,
        "tables": {
            name: {
                "rows": len(table),
                "sha256": hashlib.sha256(files[name]).hexdigest(),
                "meaning": _STORED[name].meaning,
                "columns": dict(_STORED[name].columns),
            }
            for name, table in stored.items()
        },
    }
    text = json.dumps(card, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        content_of = {f"{name}.parquet": content for name, content in files.items()}
        for name, content in {_CARD: text.encode(), **content_of}.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = _UNIX
            entry.external_attr = MODE << 16
            archive.writestr(entry, content)
    return stream.getvalue()


def _file(table: pa.Table) -> bytes:
    """The Parquet file of a table."""
    texts = [field.name for field in table.schema if pa.types.is_string(field.type)]
    # A dictionary of texts that are there once each says them twice; neighbours begin alike.
    unique = [name for name in texts if len(table) and _is_unique(table[name])]
    numbers = [
        field.name
        for field in table.schema
        if field.name not in texts and not pa.types.is_boolean(field.type)
    ]
    # Bytes of equal weight stand together: most of them are zero, and the others are few.
    encoding = dict.fromkeys(numbers, "BYTE_STREAM_SPLIT") | dict.fromkeys(
        unique, "DELTA_BYTE_ARRAY"
    )
    stream = io.BytesIO()
    pq.write_table(
        table,
        stream,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=[name for name in texts if name not in unique],
        column_encoding=encoding,
        write_statistics=False,
        store_schema=False,
    )
    return stream.getvalue()


def _is_unique(column: pa.ChunkedArray) -> bool:
    return bool(pc.count_distinct(column).as_py() == len(column))


def parse_baseline(content: bytes, name: str) -> Baseline:
    """The baseline that bytes hold.

    Args:
        content: of a file.
        name: of the file, for messages.

    Raises:
        BaselineError: they hold none that this version can read; the message says why.
    """
    where = Location(name)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _unpacked(archive, where)
    except BaselineError:
        raise
    except zipfile.BadZipFile as error:
        raise BaselineError(f"is no baseline, or is damaged: {error}", where) from error
    except _DAMAGED as error:
        said = str(error).partition("\n")[0] or type(error).__name__
        raise BaselineError(f"is damaged: {said}", where) from error


def _unpacked(archive: zipfile.ZipFile, where: Location) -> Baseline:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if _CARD not in entries:
        raise BaselineError(f"is no baseline: it has no {_CARD}", where)
    for entry in archive.infolist():
        # Nothing is deflated, so that no entry is larger than the file.
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise BaselineError(f"is no baseline: {entry.filename!r} is compressed", where)
    card = _card(archive, entries[_CARD], where)
    expected = {_CARD, *(f"{name}.parquet" for name in _STORED)}
    if set(entries) != expected or len(archive.infolist()) != len(expected):
        odd = sorted(set(entries) ^ expected)
        raise BaselineError(f"is damaged: missing or unknown {', '.join(odd) or 'parts'}", where)
    return Baseline(
        tables=_tables(_stored(archive, card, where), where),
        window=card["window"],
        learned=card["learned"],
        key_check=card["key_check"],
    )


def _stored(
    archive: zipfile.ZipFile, card: Mapping[str, Any], where: Location
) -> dict[str, pa.Table]:
    """The tables as they are stored, each as the card says."""
    stored, left = {}, MOST_UNPACKED
    for name, each in _STORED.items():
        content = archive.read(f"{name}.parquet")
        said = card["tables"].get(name)
        if not isinstance(said, dict) or hashlib.sha256(content).hexdigest() != said.get("sha256"):
            raise BaselineError(f"is damaged: table {name} is not what the card says", where)
        stored[name], size = _rows(name, each.schema, content, left, where)
        left -= size
        if len(stored[name]) != said.get("rows"):
            raise BaselineError(f"is damaged: table {name} has not as many rows as it says", where)
    return stored


def _tables(stored: Mapping[str, pa.Table], where: Location) -> dict[str, pd.DataFrame]:
    """The tables of the baseline, their values checked."""
    tables = {}
    for name, rows in unpacked(stored).items():
        layout = LAYOUTS[name]
        _check(layout, rows, where)
        tables[name] = layout.frame(rows)
        if tables[name].duplicated(layout.keys).any():
            raise BaselineError(f"is damaged: table {name} has a row twice", where)
    return tables


def _card(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: Location) -> dict[str, Any]:
    if entry.file_size > _MOST_CARD:
        raise BaselineError(f"is no baseline: its {_CARD} is too large", where)
    try:
        card = json.loads(archive.read(entry))
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"is damaged: its {_CARD} is no JSON", where) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BaselineError(f"is no baseline: its {_CARD} does not say so", where)
    version = card.get("version")
    if type(version) is not int or version < 1:
        raise BaselineError("is damaged: its version is no number", where)
    if version != VERSION:
        other = "a newer" if version > VERSION else "an older"
        raise BaselineError(
            f"was written by {other} zeek-analyzer (version {version} of the format; this one "
            f"reads {VERSION})",
            where,
        )
    learned, window = card.get("learned"), card.get("window")
    good = {
        "window": type(window) is int and 1 <= window <= MOST_WINDOW,
        "learned": learned is None
        or (isinstance(learned, int | float) and math.isfinite(learned) and learned >= 0),
        "key_check": isinstance(card.get("key_check"), str),
        "tables": isinstance(card.get("tables"), dict),
    }
    for name, makes_sense in good.items():
        if not makes_sense:
            raise BaselineError(f"is damaged: {name} of its {_CARD} makes no sense", where)
    return card


def _rows(
    name: str, schema: pa.Schema, content: bytes, left: int, where: Location
) -> tuple[pa.Table, int]:
    """The rows of a table, and the bytes that they unpack to, no more than are left."""
    file = pq.ParquetFile(pa.BufferReader(content), arrow_extensions_enabled=False)
    metadata = file.metadata
    if metadata.metadata or not file.schema_arrow.equals(schema):
        raise BaselineError(f"is damaged: table {name} has other columns", where)
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    # What is said of a column that repeats itself is small whatever it unpacks to.
    size = max(size, metadata.num_rows * len(schema))
    if size > left:
        raise BaselineError(f"is no baseline: table {name} unpacks to too much", where)
    rows = pa.Table.from_batches(file.iter_batches(_BATCH_ROWS), schema)
    rows.validate(full=True)
    if any(column.null_count for column in rows.columns):
        raise BaselineError(f"is damaged: table {name} has gaps", where)
    return rows, size


def _check(layout: Layout, rows: pa.Table, where: Location) -> None:
    """Refuse a table with values that make no sense.

    Raises:
        BaselineError: it has some.
    """
    for field in layout.fields:
        if not _makes_sense(rows[field.name], field.least, field.greatest):
            raise BaselineError(
                f"is damaged: table {layout.name} has a {field.name} that makes no sense", where
            )


def _makes_sense(column: pa.ChunkedArray, least: float, greatest: float) -> bool:
    if not len(column) or pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
        return True
    if pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column)).as_py():
        return False
    bounds = pc.min_max(column).as_py()
    return bool(least <= bounds["min"] and bounds["max"] <= greatest)

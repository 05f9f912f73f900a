"""Writing tables of Zeek's columns as Zeek's log files, byte for byte and column by column."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.traffic.columns import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

    from tests.traffic.records import Array
    from tests.traffic.schedule import Window

_CHUNK = 400_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _escape(text: str) -> str:
    escaped = _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text.replace("\\", "\\\\"))
    return {"": "(empty)", "-": "\\x2d", "(empty)": "\\x28empty)"}.get(escaped, escaped)


def _escape_element(text: str) -> str:
    return _escape(text).replace(",", "\\x2c")


def _vector_text(values: tuple[Any, ...]) -> str:
    if not values:
        return "(empty)"
    return ",".join(
        _escape_element(value) if isinstance(value, str) else f"{value:.6f}" for value in values
    )


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _by_value(column: pd.Series, render: Callable[[Any], str]) -> pa.Array:
    """Render every different value once."""
    if column.dtype == object:
        cache: dict[Any, str | None] = {None: None}
        rendered: list[str | None] = []
        for value in column.to_numpy():
            if value not in cache:
                cache[value] = render(value)
            rendered.append(cache[value])
        return pa.array(rendered, type=pa.large_string())
    encoded = _arrow(column).dictionary_encode()
    values = pa.array(
        [render(value) for value in encoded.dictionary.to_pylist()], type=pa.large_string()
    )
    return values.take(encoded.indices)


def _arrow(column: pd.Series) -> pa.Array:
    array = pa.array(column, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array


def _seconds(column: pd.Series, *, trimmed: bool) -> pa.Array:
    values = column.to_numpy(dtype="f8")
    unset = np.isnan(values)
    micros = np.round(np.where(unset, 0.0, values) * 1e6).astype("i8")
    whole = pa.array(micros // 1_000_000, mask=unset).cast(pa.large_string())
    part = pc.utf8_lpad(pa.array(micros % 1_000_000).cast(pa.large_string()), 6, "0")
    text = pc.binary_join_element_wise(whole, part, pa.scalar(".", pa.large_string()))
    if trimmed:
        text = pc.utf8_rtrim(text, "0")
        ending = pc.if_else(
            pc.ends_with(text, "."),
            pa.scalar("0", pa.large_string()),
            pa.scalar("", pa.large_string()),
        )
        text = pc.binary_join_element_wise(text, ending, pa.scalar("", pa.large_string()))
    return text


def _rendered(column: pd.Series, name: str, kind: str, *, as_json: bool) -> pa.Array:
    if kind in ("time", "interval"):
        return _seconds(column, trimmed=as_json)
    if kind == "bool":
        yes, no = ("true", "false") if as_json else ("T", "F")
        return pc.if_else(
            _arrow(column), pa.scalar(yes, pa.large_string()), pa.scalar(no, pa.large_string())
        )
    if kind in ("count", "port"):
        return _arrow(column).cast(pa.large_string())
    if name == "uid" and not as_json:
        # Letters and digits alone: nothing to escape, and too many to look at one by one.
        return _arrow(column).cast(pa.large_string())
    if as_json:
        return _by_value(column, _json_text)
    return _by_value(column, _vector_text if column.dtype == object else _escape)


def _lines(table: pd.DataFrame, types: dict[str, str], *, as_json: bool) -> Iterator[memoryview]:
    for first in range(0, len(table), _CHUNK):
        part = table.iloc[first : first + _CHUNK]
        columns = [
            _rendered(part[name], name, kind, as_json=as_json) for name, kind in types.items()
        ]
        blank, newline = pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string())
        if as_json:
            # The time is always set, so every other column may bring its own comma or nothing.
            keys = [
                pa.scalar(("{" if k == 0 else ",") + f'"{name}":', pa.large_string())
                for k, name in enumerate(types)
            ]
            columns = [
                pc.binary_join_element_wise(key, text, blank)
                for key, text in zip(keys, columns, strict=True)
            ]
            ending = pa.scalar("}\n", pa.large_string())
            joined = pc.binary_join_element_wise(
                *columns, ending, blank, null_handling="replace", null_replacement=""
            )
        else:
            columns[-1] = pc.binary_join_element_wise(
                columns[-1], newline, blank, null_handling="replace", null_replacement="-"
            )
            joined = pc.binary_join_element_wise(
                *columns,
                pa.scalar("\t", pa.large_string()),
                null_handling="replace",
                null_replacement="-",
            )
        # The texts lie one after another in one buffer: that buffer is the file's content.
        _, offsets, data = joined.buffers()
        ends = np.frombuffer(offsets, dtype="i8", count=len(joined) + 1)
        yield memoryview(data)[int(ends[0]) : int(ends[-1])]


def _moment(ts: float) -> datetime:
    return datetime.fromtimestamp(ts, UTC)


def _header(path: str, types: dict[str, str], opened: float) -> bytes:
    lines = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
        f"#open\t{_moment(opened):%Y-%m-%d-%H-%M-%S}",
        "\t".join(["#fields", *types]),
        "\t".join(["#types", *types.values()]),
    ]
    return ("\n".join(lines) + "\n").encode()


@contextmanager
def _opened(file: Path, compression: str | None) -> Iterator[IO[bytes] | gzip.GzipFile]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as raw:
        if compression == "gz":
            # Neither name nor time in the header: the same traffic gives the same bytes.
            with gzip.GzipFile(
                filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0
            ) as packed:
                yield packed
        else:
            yield raw


def logged_at(table: pd.DataFrame) -> Array:
    """When Zeek would log each row (seconds since the epoch): the end of what it describes."""
    until: Array = table["ts"].to_numpy(dtype="f8")
    for column in ("duration", "rtt"):
        if column in table:
            until = until + np.nan_to_num(table[column].to_numpy(dtype="f8"))
    return until


def _periods(
    until: Array, window: Window, rotate: float | None
) -> Iterator[tuple[float, float, int, int]]:
    """Each file's beginning and end (seconds since the epoch) and its first and last rows."""
    last = max(window.end, float(until[-1]) if len(until) else window.end)
    if rotate is None:
        yield window.start, last, 0, len(until)
        return
    edges = np.arange(np.floor(window.start / rotate), np.floor(last / rotate) + 2) * rotate
    cuts = np.searchsorted(until, edges)
    # What is logged just before the window's start belongs to the first period.
    cuts[0] = 0
    for begin, end, first, stop in zip(edges[:-1], edges[1:], cuts[:-1], cuts[1:], strict=True):
        if stop > first:
            yield begin, end, int(first), int(stop)


def write(
    table: pd.DataFrame,
    path: str,
    directory: Path,
    window: Window,
    *,
    format: str,  # noqa: A002
    compression: str | None,
    rotate: float | None,
) -> list[Path]:
    """Write one log, whole or in files of `rotate` seconds each; return the files' paths."""
    if format not in ("tsv", "json"):
        raise ValueError(f'format is "tsv" or "json", not {format!r}')
    if compression not in (None, "gz"):
        raise ValueError(f'compression is None or "gz", not {compression!r}')
    if rotate is not None and rotate <= 0:
        raise ValueError(f"rotate is a number of seconds above 0, not {rotate!r}")
    ending = ".log.gz" if compression else ".log"
    files = []
    for begin, end, first, stop in _periods(logged_at(table), window, rotate):
        name = directory / f"{path}{ending}"
        if rotate is not None:
            clock = f"{_moment(begin):%H:%M:%S}-{_moment(end):%H:%M:%S}"
            name = directory / f"{_moment(begin):%Y-%m-%d}" / f"{path}.{clock}{ending}"
        files.append(name)
        with _opened(name, compression) as stream:
            if format == "tsv":
                stream.write(_header(path, TYPES[path], begin))
            for lines in _lines(table.iloc[first:stop], TYPES[path], as_json=format == "json"):
                stream.write(lines)
            if format == "tsv":
                stream.write(f"#close\t{_moment(end):%Y-%m-%d-%H-%M-%S}\n".encode())
    return files

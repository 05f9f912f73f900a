"""A baseline's file: what is written reads back, and what is no baseline is refused."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import (
    baseline_bytes,
    parse_baseline,
    read_baseline,
    write_baseline,
)
from analyzer.baseline.layout import Field
from analyzer.baseline.tables import LAYOUTS, VERSION
from analyzer.errors import BaselineError, OutputError

from . import FIRST, assert_same, frame, small

FULL = small(
    hours=frame(
        "hours",
        ("10.0.0.1", FIRST, 8, 5.0, 1.0, 1234.0, 5678.0, 3.0, 2.0, 4.0, 7.0),
        ("10.0.0.1", FIRST, 9, 5.0, 0.0, 1234.0, 9.0, 3.0, 2.0, 4.0, 7.0),
        ("10.0.0.1", FIRST, 10, 4.0, 0.0, 768.0, 6.0, 3.0, 2.0, 4.0, 6.0),
    ),
    peers=frame(
        "peers",
        ("10.0.0.1", "192.0.2.9", True, FIRST, FIRST),
        ("10.0.0.1", "10.0.0.2", False, FIRST, FIRST),
        ("10.0.0.2", "192.0.2.9", True, FIRST, FIRST),
    ),
    names=frame("names", ("10.0.0.1", "a.example", FIRST, 4.0)),
    verdicts=frame(
        "verdicts",
        (1.5, "ann", "00ff", True, "beacon", "10.0.0.1", "", "tcp", -1, "é.example", 0.9),
    ),
)


def _values(field: Field) -> st.SearchStrategy[Any]:
    least, greatest = field.least, field.greatest
    if field.type == "string":
        return st.text(max_size=8)
    if field.type == "bool":
        return st.booleans()
    if field.type == "float64":
        top = min(greatest, 1e300)
        return st.floats(least, top, allow_nan=False).map(lambda value: value + 0.0)
    bits = {"uint8": 8, "uint16": 16, "int16": 15, "int32": 31, "int64": 63}[field.type]
    return st.integers(int(least), int(min(greatest, 2**bits - 1)))


def _table(name: str) -> st.SearchStrategy[pd.DataFrame]:
    layout = LAYOUTS[name]
    rows = st.lists(st.tuples(*(_values(field) for field in layout.fields)), max_size=3)
    return rows.map(lambda rows: layout.joined(frame(name, *rows)))


TABLES = st.fixed_dictionaries({name: _table(name) for name in LAYOUTS})


@settings(max_examples=15, deadline=None)
@given(TABLES, st.integers(1, 3660), st.none() | st.floats(0, 1e10), st.text(max_size=9))
def test_what_is_written_reads_back(
    tables: dict[str, pd.DataFrame], window: int, learned: float | None, key_check: str
) -> None:
    baseline = Baseline(tables=tables, window=window, learned=learned, key_check=key_check)
    read = parse_baseline(baseline_bytes(baseline), "x")
    assert_same(read, baseline)
    assert (read.window, read.learned, read.key_check) == (window, learned, key_check)


def test_file_is_the_owners_alone_and_the_same_for_the_same_content(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    other.write_bytes(b"before")
    other.chmod(0o644)
    write_baseline(FULL, one)
    write_baseline(read_baseline(one), other)
    assert stat.S_IMODE(one.stat().st_mode) == stat.S_IMODE(other.stat().st_mode) == 0o600
    assert one.read_bytes() == other.read_bytes()
    assert_same(read_baseline(other), FULL)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory"):
        write_baseline(FULL, tmp_path)


def test_any_tool_reads_it(tmp_path: Path) -> None:
    write_baseline(FULL, tmp_path / "x")
    with zipfile.ZipFile(tmp_path / "x") as archive:
        card = json.loads(archive.read("card.json"))
        table = pq.read_table(io.BytesIO(archive.read("days.parquet")))
    assert card["format"] == "zeek-analyzer baseline"
    assert card["tables"]["days"]["columns"]["day"] == "days since 1970, UTC"
    assert card["tables"]["peers"]["columns"]["source"] == "local host"
    assert table["day"].to_pylist() == [FIRST]


# What is refused


def _changed(
    *,
    card: Callable[[dict[str, Any]], Any] = lambda card: card,
    files: Callable[[dict[str, bytes]], Any] = lambda _: None,
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """The file of a baseline whose card or parts were changed; checksums fit."""
    with zipfile.ZipFile(io.BytesIO(baseline_bytes(FULL))) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    files(content)
    said = json.loads(content.pop("card.json"))
    for name, table in said["tables"].items():
        packed = content.get(f"{name}.parquet", b"")
        table["sha256"] = hashlib.sha256(packed).hexdigest()
    said = card(said)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        text = said if isinstance(said, str) else json.dumps(said)
        archive.writestr("card.json", text)
        for name, part in content.items():
            archive.writestr(name, part)
    return stream.getvalue()


def _with(**values: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda card: {**card, **values}


def _days(table: pa.Table, **options: bool) -> Callable[[dict[str, bytes]], None]:
    def change(content: dict[str, bytes]) -> None:
        stream = io.BytesIO()
        pq.write_table(table, stream, **{"store_schema": False} | options)
        content["days.parquet"] = stream.getvalue()

    return change


DAYS = pa.Table.from_pandas(FULL["days"], LAYOUTS["days"].schema).replace_schema_metadata()


def _day(column: str, value: float | None) -> pa.Table:
    index = DAYS.schema.get_field_index(column)
    return DAYS.set_column(
        index, DAYS.schema.field(index), pa.array([value], DAYS.schema.field(index).type)
    )


def test_changing_nothing_changes_nothing() -> None:
    assert_same(parse_baseline(_changed(), "x"), FULL)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no baseline, or is damaged"),
        (b"#fields\tts\n", "is no baseline, or is damaged"),
        (baseline_bytes(FULL)[:-40], "is no baseline, or is damaged"),
        (baseline_bytes(FULL)[:1000], "is no baseline, or is damaged"),
        (_changed(card=lambda _: "[" * 100_000), "its card.json is no JSON"),
        (_changed(card=lambda _: "[]"), "its card.json does not say so"),
        (_changed(card=lambda _: " " * 2**21), "its card.json is too large"),
        (_changed(card=_with(format="x")), "its card.json does not say so"),
        (_changed(card=_with(version="1")), "its version is no number"),
        (_changed(card=_with(version=VERSION + 1, tables=[])), "by a newer zeek-analyzer"),
        (_changed(card=_with(version=VERSION - 1, tables=[])), "by an older zeek-analyzer"),
        (_changed(card=_with(window=0)), "window of its card.json makes no sense"),
        (_changed(card=_with(window=True)), "window of its card.json makes no sense"),
        (_changed(card=_with(learned=-1)), "learned of its card.json makes no sense"),
        (_changed(card=_with(learned=float("nan"))), "learned of its card.json makes no sense"),
        (_changed(card=_with(key_check=None)), "key_check of its card.json makes no sense"),
        (_changed(card=_with(tables=None)), "tables of its card.json makes no sense"),
        (_changed(card=_with(tables={})), "table days is not what the card says"),
        (_changed(compression=zipfile.ZIP_DEFLATED), "'card.json' is compressed"),
        (_changed(files=lambda c: c.pop("days.parquet")), "missing or unknown days.parquet"),
        (_changed(files=lambda c: c.update(x=b"")), "missing or unknown x"),
        (_changed(files=lambda c: c.update({"days.parquet": b"PAR1"})), "is damaged: "),
        (_changed(files=_days(DAYS.drop_columns(["last"]))), "table days has other columns"),
        (_changed(files=_days(DAYS.rename_columns(list("abcdef")))), "has other columns"),
        (_changed(files=_days(DAYS, store_schema=True)), "table days has other columns"),
        (_changed(files=_days(DAYS.slice(0, 0))), "table days has not as many rows as it says"),
        (_changed(files=_days(_day("last", None))), "table days has gaps"),
        (_changed(files=_days(_day("last", float("inf")))), "has a last that makes no sense"),
        (_changed(files=_days(_day("first", -1.0))), "has a first that makes no sense"),
        (_changed(files=_days(_day("day", 2**30))), "has a day that makes no sense"),
        (
            _changed(
                files=_days(pa.concat_tables([DAYS, DAYS])),
                card=lambda card: (card["tables"]["days"].update(rows=2), card)[1],
            ),
            "table days has a row twice",
        ),
    ],
)
def test_refused(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(BaselineError) as error:
        read_baseline(path)
    assert complaint in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    assert path.read_bytes() == content


def test_a_place_that_is_in_no_list() -> None:
    def change(content: dict[str, bytes]) -> None:
        table = pq.read_table(io.BytesIO(content["peers.peer.parquet"])).slice(0, 1)
        stream = io.BytesIO()
        pq.write_table(table, stream, store_schema=False)
        content["peers.peer.parquet"] = stream.getvalue()

    def card(said: dict[str, Any]) -> dict[str, Any]:
        said["tables"]["peers.peer"]["rows"] = 1
        return said

    with pytest.raises(BaselineError, match=r"x: is damaged: table peers: there are ranks"):
        parse_baseline(_changed(files=change, card=card), "x")


def test_a_table_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    content = baseline_bytes(FULL)
    monkeypatch.setattr("analyzer.baseline.file.MOST_UNPACKED", 100)
    with pytest.raises(BaselineError, match="unpacks to too much"):
        parse_baseline(content, "x")


def test_no_file_and_one_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BaselineError, match="gone: cannot be read: No such file"):
        read_baseline(tmp_path / "gone")
    monkeypatch.setattr("analyzer.baseline.file.MOST_BYTES", 100)
    write_baseline(FULL, tmp_path / "x")
    with pytest.raises(BaselineError, match="is no baseline: larger than"):
        read_baseline(tmp_path / "x")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"PK\x05\x06" + tail))
def test_any_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(BaselineError):
        parse_baseline(content, "x")


WHOLE = baseline_bytes(FULL)


@settings(max_examples=75, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(at: int, by: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[at] ^= by
    try:
        read = parse_baseline(bytes(damaged), "x")
    except BaselineError:
        return
    # Dates, permissions and the card's explanations are not checked.
    assert_same(read, FULL)


PARTS = ("days", "hours", "hours.queries", "peers", "names", "names.days", "names.queries")


@settings(max_examples=75, deadline=None)
@given(st.data())
def test_a_damaged_table_whose_checksum_fits_never_crashes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*(f"{name}.parquet" for name in PARTS)]))

    def change(content: dict[str, bytes]) -> None:
        part = bytearray(content[name])
        for _ in range(data.draw(st.integers(1, 4))):
            part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
        content[name] = bytes(part)

    with contextlib.suppress(BaselineError):
        parse_baseline(_changed(files=change), "x")

"""What is kept of the days before, on the disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pyarrow as pa
import pytest

from analyzer.engine import Engine
from analyzer.errors import ResourceError
from analyzer.watch.folding import CALLS, CONTACTS, NAMES, SCHEMAS, Kept
from analyzer.watch.past import LAYOUT, Past, PastFiles, past_of


def some(engine: Engine) -> Kept:
    rows = pa.table({"orig_h": ["10.0.0.1"], "query": ["a.example"]})
    names = pa.table(
        {name: rows[name] if name in rows.column_names else [None] for name in NAMES.names},
        schema=NAMES,
    )
    return Kept(
        engine.keep(CALLS.empty_table(), "calls"),
        engine.keep(CONTACTS.empty_table(), "contacts"),
        engine.keep(names, "names"),
    )


def test_a_text_and_back() -> None:
    past = Past(number=3, counts={"calls": 5}, size=7, dropped=2, judged=1.5)
    assert past_of(past.text()) == past
    assert past_of(Past().text()) == Past()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"layout": 1, "x": 2}', f'{{"layout": {LAYOUT + 1}}}']
)
def test_what_is_none(text: str) -> None:
    assert past_of(text) is None


def test_files_and_back(tmp_path: Path) -> None:
    files = PastFiles(tmp_path / "past")
    assert stat.S_IMODE((tmp_path / "past").stat().st_mode) == 0o700
    with Engine() as engine:
        counts, size = files.write(4, engine, some(engine))
    assert counts == {"calls": 0, "contacts": 0, "names": 1}
    written = sorted((tmp_path / "past").iterdir())
    assert [path.name.partition("-")[2] for path in written] == [
        "calls.parquet",
        "contacts.parquet",
        "names.parquet",
    ]
    assert sum(path.stat().st_size for path in written) == size
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    past = Past(number=4, counts=counts, size=size)
    assert files.are_there(past)
    with Engine() as engine:
        kept = files.open(past, engine)
        (row,) = kept.names.to_pyarrow().to_pylist()
        assert (row["orig_h"], row["query"], row["answers"]) == ("10.0.0.1", "a.example", None)
        assert kept.calls.columns == tuple(CALLS.names)


def test_nothing_kept_yet(tmp_path: Path) -> None:
    files = PastFiles(tmp_path)
    assert files.are_there(Past())
    with Engine() as engine:
        kept = files.open(Past(), engine)
        for name in SCHEMAS:
            assert getattr(kept, name).count().execute() == 0


def test_what_is_of_nobody_goes(tmp_path: Path) -> None:
    files = PastFiles(tmp_path)
    with Engine() as engine:
        kept = some(engine)
        files.write(1, engine, kept)
        counts, _ = files.write(2, engine, kept)
    files.remove_others(Past(number=2, counts=counts))
    assert {path.name[:10] for path in tmp_path.iterdir()} == {"0000000002"}
    files.remove_others(Past())
    assert list(tmp_path.iterdir()) == []
    assert not files.are_there(Past(number=2, counts=counts))
    with Engine() as engine, pytest.raises(ResourceError):
        files.open(Past(number=2, counts=counts), engine)

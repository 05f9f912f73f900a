"""Where tables live."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from analyzer.engine import Engine, column_type, identifier, literal, out_of_resources
from analyzer.errors import OptionError, ResourceError
from analyzer.networks import parse_networks
from analyzer.records import LOGS


@pytest.mark.parametrize("limit", ["2GiB", " 800MB ", "1.5gb"])
def test_memory_limits(limit: str) -> None:
    with Engine(memory_limit=limit, threads=1) as engine:
        assert engine.connection.execute("SELECT current_setting('threads')").fetchall() == [(1,)]


@pytest.mark.parametrize("limit", ["", "2", "-1GB", "1 PB", "GiB", "1GB'"])
def test_memory_limits_that_make_no_sense(limit: str) -> None:
    with pytest.raises(OptionError, match="expected a size such as 2GiB or 800MB"):
        Engine(memory_limit=limit)


def test_threads_that_make_no_sense() -> None:
    with pytest.raises(OptionError, match="threads 0: expected 1 or more"):
        Engine(threads=0)


def test_quoting() -> None:
    assert (identifier('a"b'), literal("a'b")) == ('"a""b"', "'a''b'")
    types = {column.name: column_type(column) for held in LOGS.values() for column in held}
    assert (types["ts"], types["orig_p"], types["answers"]) == ("DOUBLE", "USMALLINT", "VARCHAR[]")


def test_directory_goes_with_the_engine() -> None:
    with Engine() as engine:
        assert engine.directory.is_dir()
    assert not engine.directory.exists()


ROW = {"ts": 5.0, "uid": "C1", "orig_h": "10.0.0.1", "resp_h": "10.0.0.2", "proto": "tcp"}


def test_records() -> None:
    with Engine() as engine:
        empty = engine.records()
        assert (empty.first, empty.last, empty.counts) == (None, None, {"conn": 0, "dns": 0})
        engine.insert("conn", [ROW, ROW | {"ts": 7.0}, ROW | {"ts": 9.0}])
        engine.insert("dns", [ROW | {"ts": 1.0, "answers": ["a"]}])
        engine.insert("dns", [])
        every = engine.records()
        assert (every.first, every.last, every.counts) == (1, 9, {"conn": 3, "dns": 1})
        some = engine.records(begin=5, end=9)
        assert (some.first, some.last, some.counts) == (5, 7, {"conn": 2, "dns": 0})


def test_server_names() -> None:
    with Engine() as engine:
        engine.insert("ssl", [{"uid": "C1", "server_name": "b"}, {"uid": "C2"}])
        engine.insert("http", [{"uid": "C1", "host": "a"}, {"uid": "C3", "host": "c"}])
        found = engine.records().server_names.to_pyarrow().to_pylist()
        assert sorted((row["uid"], row["server_name"]) for row in found) == [
            ("C1", "a"),
            ("C3", "c"),
        ]


def test_flags_of_zeek_and_networks_of_the_user() -> None:
    with Engine() as engine:
        engine.insert("conn", [ROW])
        engine.records(parse_networks(["10.0.0.0/8"]))
        engine.insert("conn", [ROW | {"local_orig": True}])
        assert engine.records().counts["conn"] == 2


def test_kept_tables() -> None:
    with Engine() as engine:
        engine.insert("conn", [ROW])
        kept = engine.keep(engine.table("conn").select("uid"), "kept")
        assert kept.to_pyarrow().to_pylist() == [{"uid": "C1"}]
        kept = engine.keep(pa.table({"a": [1]}), "kept")
        assert kept.to_pyarrow().to_pylist() == [{"a": 1}]


def test_unfinished_connections() -> None:
    every = {log: tuple(column.name for column in held) for log, held in LOGS.items()}
    with Engine(column_names=every) as engine:
        engine.insert("conn", [ROW])
        waiting = [("C1", 9), ("C2", 1), ("C2", 3), ("C2", None), (None, 1), (None, 1)]
        for uid, duration in waiting:
            row = ROW | {"uid": uid, "duration": duration}
            engine.connection.execute(
                "INSERT INTO open_conn (ts, uid, orig_h, resp_h, proto, duration) "
                "VALUES ($ts, $uid, $orig_h, $resp_h, $proto, $duration)",
                row,
            )
        engine.finish_loading()
        engine.finish_loading()
        found = engine.table("conn").to_pyarrow().to_pylist()
        uids = [(row["uid"], row["duration"]) for row in found]
        assert sorted(uids, key=str) == [("C1", None), ("C2", 3), (None, 1), (None, 1)]


def test_no_place_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: str) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(ResourceError) as raised:
        Engine()
    assert str(raised.value) == (
        "temporary files cannot be written (No usable temporary directory found); "
        "point TMPDIR at a directory that can be written to"
    )


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            duckdb.OutOfMemoryException("too much\nof it"),
            "out of memory (too much); raise --memory",
        ),
        (duckdb.IOException("disk full"), "temporary files cannot be written (disk full); point"),
    ],
)
def test_advice(error: Exception, advice: str) -> None:
    with pytest.raises(ResourceError) as raised, out_of_resources():
        raise error
    assert str(raised.value).startswith(advice)


def test_a_file_as_a_table(tmp_path: Path) -> None:
    with Engine() as engine:
        engine.insert("ssl", [{"uid": "C1", "server_name": "it's.example"}])
        engine.write("ssl", tmp_path / "it's.parquet")
        table = engine.parquet(tmp_path / "it's.parquet", "names")
        assert table.to_pyarrow().to_pylist() == [{"uid": "C1", "server_name": "it's.example"}]

"""Captures into the engine's tables, beside logs."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from analyzer.engine import Engine
from analyzer.parsers.account import Account
from analyzer.parsers.captures import find_captures
from analyzer.parsers.reading import read
from tests.test_parsers.test_pcap.scenes import START, capture, client_hello, ping, web, written

SCENE = [*web(START, client_hello("www.example.org"), b"\x15\x03\x03\0\2\2\x28", 443), *ping(START)]


def test_captures_and_logs_together(tmp_path: Path) -> None:
    written(tmp_path / "a.pcap", SCENE)
    fields = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state"
    row = "1.0\tC1\t::1\t1\t::2\t2\ttcp\tSF"
    (tmp_path / "conn.log").write_text(f"#separator \\x09\n#path\tconn\n{fields}\n{row}\n")
    with Engine() as engine:
        account = read([tmp_path], engine)
        records = engine.records()
        assert records.counts == {"conn": 3, "dns": 0}
        names = records.server_names.to_pyarrow().to_pylist()
        (uid,) = engine.connection.execute("SELECT uid FROM conn WHERE resp_p = 443").fetchone()  # type: ignore[misc]
        assert names == [{"uid": uid, "server_name": "www.example.org"}]
    assert (dict(account.captured), account.packets) == ({"conn": 2}, 10)
    assert [(file.packets, file.lines) for file in account.files] == [(10, 0), (0, 1)]


def test_progress_ends_where_the_files_do(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pcap", SCENE)
    told: list[int] = []
    with Engine() as engine:
        read([path], engine, on_progress=told.append)
    assert sum(told) == path.stat().st_size


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(capture(SCENE)))
    monkeypatch.setattr(sys, "stdin", stream)
    with Engine() as engine:
        account = read(["-"], engine)
    assert account.read == {"conn": 2}
    assert not stream.buffer.closed


def test_a_pipe_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(capture(SCENE),))
    writer.start()
    with Engine() as engine:
        assert read([tmp_path / "pipe"], engine).read == {"conn": 2}
    writer.join()


def test_absurd_numbers_become_null(tmp_path: Path) -> None:
    del tmp_path
    import pyarrow as pa  # noqa: PLC0415

    columns = {"orig_bytes": pa.array([2**64 - 1, 5, None], pa.uint64())}
    rows = {"ts": [1.0] * 3, "orig_h": ["a"] * 3, "resp_h": ["b"] * 3, "proto": ["tcp"] * 3}
    names = {"conn": (*rows, *columns), "dns": ("ts",), "ssl": ("uid",), "http": ("uid",)}
    with Engine(column_names=names) as engine:
        engine.append("conn", pa.table(rows | columns))
        found = engine.table("conn").to_pyarrow().to_pylist()
    assert [row["orig_bytes"] for row in found] == [None, 5, None]


def test_what_is_no_capture_is_remarked_upon(tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_text("#fields\tts\n")
    capture_file = written(tmp_path / "a.pcap", SCENE)
    account = Account()
    found = find_captures([tmp_path], account, lambda _: None)
    assert [source.path for source in found] == [capture_file]
    assert [(file.note, file.failed) for file in account.files] == [
        ("", False),
        ("no capture: neither pcap nor pcapng", False),
    ]

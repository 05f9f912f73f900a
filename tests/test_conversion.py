"""Captures as logs."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import EmptyInputError, InputError
from analyzer.records import CONN, DNS
from tests.test_parsers.test_pcap.scenes import SERVER, START, lookup, ping, web, written

SCENE = [
    *lookup(START, "www.example.org", SERVER),
    *web(START + 1, b"GET /", b"ok"),
    *ping(START + 2),
]


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return written(tmp_path / "scene.pcap", SCENE)


def rows(path: Path) -> list[dict[str, str]]:
    lines = path.read_text().splitlines()
    (fields,) = (line.split("\t")[1:] for line in lines if line.startswith("#fields"))
    return [
        dict(zip(fields, line.split("\t"), strict=True))
        for line in lines
        if not line.startswith("#")
    ]


def test_logs_as_zeek_writes_them(scene: Path, tmp_path: Path) -> None:
    done = analyzer.convert(scene, tmp_path / "out")
    assert (done.conn, done.dns) == (tmp_path / "out/conn.log", tmp_path / "out/dns.log")
    conn, dns = rows(done.conn), rows(done.dns)
    assert list(conn[0]) == [column.zeek_name for column in CONN]
    assert list(dns[0]) == [column.zeek_name for column in DNS]
    assert sorted(
        (row["ts"], row["id.resp_p"], row["proto"], row["conn_state"]) for row in conn
    ) == [
        ("1700000000.000000", "53", "udp", "SF"),
        ("1700000001.000000", "80", "tcp", "SF"),
        ("1700000002.000000", "0", "icmp", "OTH"),
    ]
    assert [(row["query"], row["answers"], row["TTLs"]) for row in dns] == [
        ("www.example.org", SERVER, "60.000000")
    ]
    assert (dict(done.account.captured), done.account.packets) == ({"conn": 3, "dns": 1}, 12)


def test_json(scene: Path, tmp_path: Path) -> None:
    done = analyzer.convert(scene, tmp_path, format="json")
    (row,) = map(json.loads, done.dns.read_text().splitlines())
    assert (row["id.resp_p"], row["query"], row["TTLs"]) == (53, "www.example.org", [60.0])


def test_what_is_written_is_analysed_like_the_capture(scene: Path, tmp_path: Path) -> None:
    analyzer.convert(scene, tmp_path / "logs")
    from_logs = analyzer.analyze(tmp_path / "logs")
    from_capture = analyzer.analyze(scene)
    assert from_capture.records == from_logs.records == {"conn": 3, "dns": 1}
    assert (from_capture.first, from_capture.last) == (from_logs.first, from_logs.last)


def test_several_captures_and_compression(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.pcap", SCENE)
    (tmp_path / "parts").mkdir()
    first = written(tmp_path / "parts" / "b.pcap", SCENE[:5]).read_bytes()
    (tmp_path / "parts" / "b.pcap").unlink()
    (tmp_path / "parts" / "b.pcap.gz").write_bytes(gzip.compress(first))
    written(tmp_path / "parts" / "a.pcap", SCENE[5:])
    one = analyzer.convert(whole, tmp_path / "one")
    other = analyzer.convert([tmp_path / "parts"], tmp_path / "other")
    assert rows(other.conn) == rows(one.conn)
    assert rows(other.dns) == rows(one.dns)
    assert [file.packets for file in other.account.files] == [7, 5]


def test_a_capture_that_is_cut_off(scene: Path, tmp_path: Path) -> None:
    data = scene.read_bytes()
    scene.write_bytes(data[:-3])
    done = analyzer.convert(scene, tmp_path)
    (problem,) = done.account.problems()
    assert str(problem).endswith(f"cut off at byte {len(data) - 3}, after packet 11")
    assert len(rows(done.conn)) == 3


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"#fields\tts\n", "no capture in 1 file"),
        (b"\xd4\xc3\xb2\xa1" + bytes(300), "no connection in 1 file.*version 0.0 is not known"),
        (b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\0\0\1\0\1\0\0\0", "a capture without packets"),
    ],
)
def test_nothing_comes_of_it(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(EmptyInputError, match=why):
        analyzer.convert(tmp_path / "file", tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        analyzer.convert(tmp_path / "none", tmp_path)


def test_converting_loads_no_database(scene: Path, tmp_path: Path) -> None:
    program = (
        "import sys, analyzer; analyzer.convert(*sys.argv[1:]);"
        "sys.exit('duckdb' in sys.modules or 'ibis' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(scene), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own

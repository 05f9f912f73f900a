"""How traffic is written: exact bytes, nothing lost, nothing twice."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.traffic import MONDAY, Traffic, office
from tests.traffic.__main__ import main
from tests.traffic.columns import TYPES
from tests.traffic.logs import write

if TYPE_CHECKING:
    from pathlib import Path

CONN_HEADER = (
    b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    b"#open\t2026-01-19-00-00-00\n"
    b"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes"
    b"\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes"
    b"\ttunnel_parents\tip_proto\n"
    b"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount"
    b"\tstring\tcount\tcount\tcount\tcount\tset[string]\tcount\n"
)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return office(11, hosts=16, days=0.5, attacks=["dns_tunnel", "icmp_sweep"])


def parse(content: bytes) -> list[list[str]]:
    return [line.split("\t") for line in content.decode().splitlines() if not line.startswith("#")]


def expected(value: Any, kind: str) -> str:  # noqa: ANN401
    if isinstance(value, tuple):
        return ",".join(expected(part, kind[7:-1]) for part in value)
    if value is None or pd.isna(value):
        return "-"
    if kind in ("time", "interval"):
        return f"{value:.6f}"
    if kind == "bool":
        return "T" if value else "F"
    return str(value)


@pytest.mark.parametrize("log", ["conn", "dns", "ssl"])
def test_tsv_reads_back_equal(traffic: Traffic, tmp_path: Path, log: str) -> None:
    traffic.write(tmp_path)
    rows = parse((tmp_path / f"{log}.log").read_bytes())
    table: pd.DataFrame = getattr(traffic, log)
    assert len(rows) == len(table)
    for place, (name, kind) in enumerate(TYPES[log].items()):
        assert [row[place] for row in rows] == [expected(value, kind) for value in table[name]], (
            name
        )


def test_header_and_close(traffic: Traffic, tmp_path: Path) -> None:
    paths = traffic.write(tmp_path)
    assert [path.name for path in paths] == ["conn.log", "dns.log", "ssl.log"]
    content = paths[0].read_bytes()
    assert content.startswith(CONN_HEADER)
    assert content.splitlines()[-1].startswith(b"#close\t2026-01-19-")
    assert content.endswith(b"\n")
    assert b"\n#types\t" in paths[1].read_bytes()
    assert paths[1].read_bytes().count(b"vector[interval]\tbool\tcount\tstring\n") == 1


@pytest.mark.parametrize("compression", [None, "gz"])
def test_same_seed_gives_the_same_bytes(
    traffic: Traffic, tmp_path: Path, compression: str | None
) -> None:
    again = office(11, hosts=16, days=0.5, attacks=["dns_tunnel", "icmp_sweep"])
    first = traffic.write(tmp_path / "a", compression=compression)
    second = again.write(tmp_path / "b", compression=compression)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_json_reads_back_equal(traffic: Traffic, tmp_path: Path) -> None:
    traffic.write(tmp_path, format="json")
    rows = [json.loads(line) for line in (tmp_path / "conn.log").read_text().splitlines()]
    table = traffic.conn
    assert len(rows) == len(table)
    assert [row["ts"] for row in rows] == table["ts"].tolist()
    assert [row.get("duration") for row in rows] == [
        None if np.isnan(v) else v for v in table["duration"]
    ]
    assert [row.get("orig_bytes") for row in rows] == [
        None if pd.isna(v) else v for v in table["orig_bytes"]
    ]
    assert not any("tunnel_parents" in row for row in rows)
    assert [row["local_orig"] for row in rows] == table["local_orig"].tolist()
    dns = [json.loads(line) for line in (tmp_path / "dns.log").read_text().splitlines()]
    answers = [None if value is None else list(value) for value in traffic.dns["answers"]]
    assert [row.get("answers") for row in dns] == answers


def test_rotation_covers_every_row_once(traffic: Traffic, tmp_path: Path) -> None:
    traffic.write(tmp_path / "whole")
    paths = traffic.write(tmp_path / "archive", compression="gz", rotate=3600)
    first = tmp_path / "archive" / "2026-01-19" / "conn.00:00:00-01:00:00.log.gz"
    assert first in paths
    assert sorted(paths) == sorted((tmp_path / "archive").rglob("*.log.gz"))
    assert len(paths) > 30
    for log in ("conn", "dns", "ssl"):
        parts = [
            gzip.decompress(path.read_bytes()) for path in paths if path.name.startswith(f"{log}.")
        ]
        rows = [row for part in parts for row in parse(part)]
        assert rows == parse((tmp_path / "whole" / f"{log}.log").read_bytes())
    content = gzip.decompress(first.read_bytes())
    assert b"\n#open\t2026-01-19-00-00-00\n" in content
    assert content.endswith(b"\n#close\t2026-01-19-01-00-00\n")


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("-", "\\x2d"),
        ("(empty)", "\\x28empty)"),
        ("", "(empty)"),
        ("a\tb", "a\\x09b"),
        ("a\\x09", "a\\\\x09"),
        ('#"quoted"', '#"quoted"'),
        ("süd.example", "süd.example"),
        (None, "-"),
    ],
)
def test_escapes(traffic: Traffic, tmp_path: Path, query: str | None, written: str) -> None:
    table = traffic.dns.head(1).copy()
    table["query"] = pd.Series([query], index=table.index, dtype="str")
    table["answers"] = pd.Series([("a,b", "-", "")], index=table.index, dtype=object)
    (path,) = write(
        table, "dns", tmp_path, traffic.window, format="tsv", compression=None, rotate=None
    )
    (row,) = parse(path.read_bytes())
    assert row[list(TYPES["dns"]).index("query")] == written
    assert row[list(TYPES["dns"]).index("answers")] == "a\\x2cb,\\x2d,(empty)"


def test_wrong_arguments_are_refused(traffic: Traffic, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format"):
        traffic.write(tmp_path, format="csv")
    with pytest.raises(ValueError, match="compression"):
        traffic.write(tmp_path, compression="xz")
    with pytest.raises(ValueError, match="rotate"):
        traffic.write(tmp_path, rotate=0)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(
        [
            "--out",
            str(tmp_path),
            "--hosts",
            "16",
            "--days",
            "0.5",
            "--rows",
            "60000",
            "--attack",
            "dga",
        ]
    )
    assert status == 0
    rows = len(parse((tmp_path / "conn.log").read_bytes()))
    assert 0.9 * 60000 < rows < 1.1 * 60000
    assert f"{rows} conn" in capsys.readouterr().out
    (truth,) = json.loads((tmp_path / "truth.json").read_text())
    assert truth["attack"] == "dga"
    assert truth["start"] > MONDAY

"""The compiled loops read what DuckDB's scan reads, and leave the rest to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.engine import Engine
from analyzer.parsers import row_chunks, tsv_compiled
from analyzer.parsers.reading import read
from tests.test_parsers import header, row, rows, table_rows

Outcome = tuple[dict[str, list[dict[str, Any]]], list[tuple[Any, ...]]]


def outcome(path: Path, smallest: int) -> Outcome:
    """What comes of a log when files from this size on are read by compiled loops."""
    with pytest.MonkeyPatch.context() as patch, Engine(threads=1) as engine:
        patch.setattr(tsv_compiled, "SMALLEST", smallest)
        account = read([path], engine)
        tables = {log: table_rows(engine, log) for log in ("conn", "dns", "ssl", "http")}
        (file,) = account.files
        places = sorted(map(str, file.examples))
        return tables, [(file.lines, dict(file.read), dict(file.skipped), places, file.note)]


def both(path: Path, content: str | bytes) -> Outcome:
    """What comes of a log, the same in both ways."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    compiled = outcome(path, 0)
    assert compiled == outcome(path, 1 << 60)
    return compiled


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


VALUES: list[dict[str, str]] = [
    {},
    {"ts": "1700000000"},
    {"ts": "1700000000.1"},
    {"ts": "1700000000.1234567"},
    {"ts": "99999999999.5"},
    {"ts": "1.7e9"},
    {"ts": "-"},
    {"ts": ".5"},
    {"ts": "5."},
    {"uid": "-"},
    {"uid": "(empty)"},
    {"uid": "C\\x09"},
    {"uid": "Cé"},
    {"orig_h": "2001:db8::1", "resp_h": "ff02::fb"},
    {"orig_h": "-"},
    {"orig_p": "-"},
    {"orig_p": "65536"},
    {"orig_p": "0065"},
    {"resp_p": "+5"},
    {"proto": "-"},
    {"proto": "unknown_transport", "resp_p": "0", "ip_proto": "47"},
    {"proto": "udp", "orig_p": "53", "resp_p": "50000"},
    {"proto": "udp", "resp_p": "33434"},
    {"proto": "icmp", "orig_p": "8", "resp_p": "0", "resp_pkts": "0"},
    {"proto": "icmp", "orig_p": "3", "resp_p": "3"},
    {"service": "ssh", "resp_p": "2022"},
    {"service": "(empty)", "resp_p": "22"},
    {"resp_p": "2222", "conn_state": "REJ"},
    {"conn_state": "S0", "history": "^s"},
    {"conn_state": "OTH", "history": "Cc", "resp_pkts": "3"},
    {"orig_bytes": "999999999999999"},
    {"orig_bytes": "9007199254740993"},
    {"orig_bytes": "-5"},
    {"orig_pkts": "99999999999"},
    {"duration": "-1.5"},
    {"duration": "0.000001"},
    {"local_orig": "T", "local_resp": "F"},
    {"local_orig": "true"},
]


def test_values_of_all_kinds(log: Path) -> None:
    content = header() + "".join(row(number=k, **changes) for k, changes in enumerate(VALUES))
    tables, _ = both(log, content)
    found = {found["ts"] - 1_700_000_000: found for found in tables["conn"]}
    assert found[0.25]["answered"] is True
    assert found[35.25]["duration"] == pytest.approx(1e-6)
    assert found[33.25]["orig_pkts"] == 2**32 - 1


def test_ports_that_are_alike_are_told_apart(log: Path) -> None:
    content = header() + "".join(row(number=k, resp_p=str(k * 7)) for k in range(9000))
    tables, _ = both(log, content)
    assert sorted(found["tried_p"] for found in tables["conn"]) == [k * 7 for k in range(9000)]


@pytest.mark.parametrize(
    "odd",
    [
        "\n",
        "#close\t2026-01-19\n",
        "#\n",
        "1700000000.5\tC9\n",
        row(number=7).replace("\n", "\r\n"),
        row(number=7).replace("\n", "\tmore\n"),
        row(number=7).replace("\n", "\t-\n"),
        header("dns") + rows(3, "dns"),
        header(separator=",") + row(number=8, separator=","),
        row(number=7, uid="C" * ((1 << 20) - 150)),
        row(number=7, uid="C" * (1 << 20)),
        row(number=7, uid="C" * (1 << 21)),
    ],
)
def test_odd_lines_among_the_rows(log: Path, odd: str) -> None:
    tables, _ = both(log, header() + rows(5) + odd + rows(4))
    assert len(tables["conn"]) >= 9 or "," in odd


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "#close\t2026", "\t", "1.5"])
def test_how_a_file_ends(log: Path, end: str) -> None:
    both(log, header() + rows(3).removesuffix("\n") + end)


def test_other_logs(log: Path) -> None:
    both(
        log, header("dns") + rows(4, "dns") + row("dns", query="a\\x09b", answers="1.2.3.4,x\\x2cy")
    )
    text = header("dns") + row("dns", answers="(empty)", query="(empty)") + rows(2, "dns")
    both(log, text)


def test_bytes_that_are_no_text(log: Path) -> None:
    content = (header() + rows(3)).encode() + b"\xff\xfe\t\x00\n" + rows(2).encode()
    both(log, content)
    both(log, content.replace(b"C", b"\xff"))


def test_rows_across_chunks(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_chunks, "CHUNK", 1000)
    tables, books = both(log, header() + rows(500) + "bad\n" + rows(20))
    assert len(tables["conn"]) == 520
    assert books[0][3] == [f"{log}:508: expected the 22 columns of #fields (found 1)"]


CELLS = st.sampled_from(
    [
        "-",
        "(empty)",
        "0",
        "1",
        "1.5",
        "T",
        "F",
        "tcp",
        "udp",
        "10.0.0.1",
        "::1",
        "é",
        "\\x41",
        " ",
        "",
    ]
) | st.text(st.characters(codec="utf-8", exclude_characters="\n\t"), max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=9), min_size=1, max_size=12))
def test_any_cells(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    names = ["ts", "uid", "id.orig_h", "id.resp_h", "proto", "conn_state", "orig_bytes", "service"]
    log = tmp_path_factory.mktemp("any") / "x.log"
    lines = "".join("\t".join(each) + "\n" for each in cells)
    good = "1700000000.5\tC1\t10.0.0.1\t10.0.0.2\ttcp\tSF\t7\tssh\n"
    both(log, header(fields=names) + good + lines + good)

"""TSV logs: the forms they come in, and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from analyzer.parsers import tsv_rows
from analyzer.parsers.scanning import Measure, measure

from . import TYPES, header, load, row, rows, values

if TYPE_CHECKING:
    from pathlib import Path

    from . import Loaded


@pytest.fixture(params=["whole", "by line"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of loading rows: a scan of the whole file, and line by line."""
    way: str = request.param
    if way == "by line":
        monkeypatch.setattr(tsv_rows.TsvLoader, "_load_whole", lambda *_, **__: False)
    return way


pytestmark = pytest.mark.usefixtures("way")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


def loaded(log: Path, content: str | bytes) -> Loaded:
    log.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(log)


def test_plain_log(log: Path) -> None:
    found = loaded(log, header() + rows(3) + "#close\t2024-01-15-14-00-00\n")
    assert found.tables["conn"][1] == dict.fromkeys(found.tables["conn"][1]) | {
        "ts": 1_700_000_001.25,
        "uid": "Cconn1",
        "orig_h": "10.0.0.1",
        "orig_p": 50000,
        "resp_h": "192.0.2.7",
        "resp_p": 443,
        "proto": "tcp",
        "duration": 1.5,
        "orig_bytes": 10,
        "conn_state": "SF",
    }
    assert (found.uids, found.account.lines, found.problems) == (
        ["Cconn0", "Cconn1", "Cconn2"],
        3,
        [],
    )


def test_every_type(log: Path) -> None:
    conn = row(local_orig="T", local_resp="F", tunnel_parents="Ca,Cb", ip_proto="6", ts="0.000001")
    dns = row("dns", answers="a,-,(empty)", TTLs="1.500000,-,0.000000", AA="T", Z="0", resp_h="::1")
    empty = row("dns", 1, answers="(empty)", TTLs="(empty)", query="(empty)")
    found = loaded(log, header() + conn + header("dns") + dns + empty)
    (conn_row,) = found.tables["conn"]
    assert (conn_row["local_orig"], conn_row["local_resp"]) == (True, False)
    assert (conn_row["tunnel_parents"], conn_row["ip_proto"], conn_row["ts"]) == (
        ["Ca", "Cb"],
        6,
        1e-6,
    )
    dns_row, empty_row = found.tables["dns"]
    assert (dns_row["answers"], dns_row["TTLs"]) == (["a", None, ""], [1.5, None, 0])
    assert (dns_row["AA"], dns_row["Z"], dns_row["resp_h"]) == (True, 0, "::1")
    assert (empty_row["answers"], empty_row["TTLs"], empty_row["query"]) == ([], [], "")


def test_text_is_kept_and_escapes_are_undone(log: Path) -> None:
    texts = {
        "#\"quoted' text": "#\"quoted' text",
        "a\\x09b\\x0ac": "a\tb\nc",
        "\\x2d": "-",
        "\\x28empty)": "(empty)",
        "a\\\\x09": "a\\x09",
        "s\u00fcd": "s\u00fcd",
        "\\xc3\\xbc": "\u00fc",
        "\\xff": "\\xff",
        "nan": "nan",
        "": "",
    }
    lines = [row("dns", n, query=text, answers=f"{text},b\\x2cc") for n, text in enumerate(texts)]
    found = loaded(log, header("dns") + "".join(lines))
    by_uid = {row["uid"]: row for row in found.tables["dns"]}
    for number, plain in enumerate(texts.values()):
        assert by_uid[f"Cdns{number}"]["query"] == plain
        assert by_uid[f"Cdns{number}"]["answers"] == [plain, "b,c"]


def test_escapes_in_names_of_servers(log: Path) -> None:
    content = header("ssl") + row("ssl", server_name="\\xc3\\xbc.example")
    content += header("http") + row("http", host='"#\\\\"') + header() + row()
    assert loaded(log, content).server_names == {"Cssl0": "\u00fc.example", "Chttp0": '"#\\"'}


def test_row_that_begins_like_a_comment(log: Path) -> None:
    fields = ["query", *(name for name in TYPES["dns"] if name != "query")]
    texts = values("dns", query="\\x23top")
    content = header("dns", fields) + "\t".join(texts[name] for name in fields)
    assert loaded(log, content).tables["dns"][0]["query"] == "#top"


def test_bytes_that_are_no_utf8(log: Path) -> None:
    content = header("dns") + rows(2, "dns") + row("dns", 2, query="@\u00fc")
    found = loaded(log, content.encode().replace(b"@", b"\xff\xfe"))
    assert found.tables["dns"][2]["query"] == "\\xff\\xfe\u00fc"
    assert found.account.lines == 3


@pytest.mark.parametrize("ending", ["\r\n", "\r\r\n"])
def test_line_endings_of_others(log: Path, ending: str) -> None:
    found = loaded(log, (header() + rows(3) + "#close\n").replace("\n", ending))
    assert found.tables == loaded(log, header() + rows(3)).tables
    assert found.account.skipped == {}


def test_carriage_return_ends_no_line(log: Path) -> None:
    found = loaded(log, header() + rows(2) + row(number=2, service="a\rb") + row("conn", 3, ts="-"))
    assert found.tables["conn"][2]["service"] == "a\rb"
    assert found.problems == ["x.log:11: ts is not set"]


def test_byte_order_mark(log: Path) -> None:
    assert loaded(log, "\ufeff" + header() + rows(3)).account.read == {"conn": 3}


@pytest.mark.parametrize("separator", [",", " ", "|", ";", "'", '"', "\\", "\x01", "x", "\x00"])
def test_other_separator(log: Path, separator: str) -> None:
    content = header(separator=separator) + row("conn", 0, separator) + row("conn", 1, separator)
    found = loaded(log, content.replace(f"_separator{separator},", f"_separator{separator}|"))
    assert found.uids == ["Cconn0", "Cconn1"]
    assert found.problems == []


@pytest.mark.parametrize("unset", ["", "'", '"', "\\", "''\"", "NULL"])
def test_other_unset_field(log: Path, unset: str) -> None:
    content = header().replace("#unset_field\t-", f"#unset_field\t{unset}")
    line = "\t".join(unset if text == "-" else text for text in values().values())
    found = loaded(log, content + line)
    assert found.tables == loaded(log, header() + row()).tables


@pytest.mark.parametrize("mark", ["'", "''", "\\", "||", "%", "[", "\u00fc"])
def test_other_set_separator(log: Path, mark: str) -> None:
    content = header("dns").replace("#set_separator\t,", f"#set_separator\t{mark}")
    line = row("dns", answers=f"a{mark}b,c", TTLs=f"1{mark}2")
    found = loaded(log, content + line)
    assert found.tables["dns"][0]["answers"] == ["a", "b,c"]
    assert found.tables["dns"][0]["TTLs"] == [1, 2]


def test_columns_in_any_order(log: Path) -> None:
    fields = [*sorted(TYPES["conn"]), "label", "detailed-label", "", "label"]
    texts = values() | {"label": "Malicious", "detailed-label": "a   b", "": "x"}
    found = loaded(log, header("conn", fields) + "\t".join(texts[name] for name in fields))
    assert found.tables == loaded(log, header() + row()).tables


def test_old_columns(log: Path) -> None:
    fields = [name for name in TYPES["conn"] if name not in {"local_resp", "ip_proto", "uid"}]
    found = loaded(log, header("conn", fields) + "\t".join(values()[name] for name in fields))
    assert found.tables == {
        **found.tables,
        "conn": [loaded(log, header() + row()).tables["conn"][0] | {"uid": None}],
    }


def test_headers_that_change(log: Path) -> None:
    fields = [name for name in reversed(TYPES["conn"]) if name != "service"]
    turned = "".join(
        "\t".join(values("conn", number)[name] for name in fields) + "\n" for number in (2, 3)
    )
    content = header() + rows(2) + "#close\t1\n" + header("conn", fields) + turned
    content += header("dns") + rows(2, "dns") + "bad\n"
    found = loaded(log, content)
    assert found.uids == ["Cconn0", "Cconn1", "Cconn2", "Cconn3", "Cdns0", "Cdns1"]
    assert found.problems == ["x.log:29: expected the 26 columns of #fields (found 1)"]


def test_same_header_again(log: Path) -> None:
    part = header() + rows(2) + "bad\n" + "#close\t1\n"
    found = loaded(log, part * 5)
    assert found.account.read == {"conn": 10}
    assert [problem.split(":")[1] for problem in found.problems] == ["10", "21", "32"]


def test_header_line_that_has_as_many_columns_as_rows(log: Path) -> None:
    content = header("ssl", ["uid", "server_name"]) + "C1\ta.example\n#close\t2024\n"
    content += "#fields\tserver_name\n" + "#fields\thost\tuid\nb.example\tC2\n" + header() + row()
    found = loaded(log, content)
    assert found.server_names == {"C1": "a.example", "C2": "b.example"}
    assert found.account.skipped == {}


def test_part_of_another_log(log: Path) -> None:
    other = "#separator \\x09\n#path\tfiles\n#fields\tts\tfuid\n1\tF1\n2\tF2\n"
    found = loaded(log, other + header() + rows(2) + other)
    assert found.account.read == {"conn": 2}
    assert found.account.lines == 2
    assert found.account.files[0].note == "a Zeek files log, not one of conn, dns, ssl, http"
    assert not found.account.files[0].failed


BAD_LINES = {
    "": "blank line",
    "  ": "blank line",
    "\0\0": "blank line",
    "garbage": "expected the 22 columns of #fields (found 1)",
    row().strip() + "\t-": "expected the 22 columns of #fields (found 23)",
    row().strip() + "\t-\t-": "expected the 22 columns of #fields (found 24)",
    row(orig_p="70000").strip(): "id.orig_p is not a port, 0 to 65535 (found '70000')",
    row(ts="nan").strip(): "ts is not a time in seconds since 1970 (found 'nan')",
    row(proto="-").strip(): "proto is not set",
    row(orig_bytes="-3").strip(): "orig_bytes is not a count below 2^53 (found '-3')",
    row(ts="1e300").strip(): "ts is not a time in seconds since 1970 (found '1e300')",
    row(ts="-1.5").strip(): "ts is not a time in seconds since 1970 (found '-1.5')",
    row(duration="1e11").strip(): "duration is not an interval in seconds (found '1e11')",
    row(resp_bytes=str(1 << 53)).strip(): (
        f"resp_bytes is not a count below 2^53 (found '{1 << 53}')"
    ),
    row(local_orig="?").strip(): "local_orig is not T or F (found '?')",
}


@pytest.mark.parametrize(("bad", "problem"), BAD_LINES.items())
def test_bad_line_costs_only_itself(log: Path, bad: str, problem: str) -> None:
    found = loaded(log, header() + rows(4) + bad + "\n" + rows(5))
    assert found.account.read == {"conn": 9}
    assert found.account.lines == 10
    assert found.problems == [f"x.log:12: {problem}"]


def test_all_bad_lines_together(log: Path) -> None:
    lines = [line for bad in BAD_LINES for line in (row(), bad + "\n")]
    log.write_text(header() + "".join(lines * 3))
    found = load(log, keep_all_problems=True)
    assert found.account.read == {"conn": 3 * len(BAD_LINES)}
    # By line in each load; which lines are loaded together does not matter here.
    assert sorted(found.problems, key=lambda text: int(text.split(":")[1])) == [
        f"x.log:{9 + 2 * number}: {problem}"
        for number, problem in enumerate([*BAD_LINES.values()] * 3)
    ]


@pytest.mark.parametrize("length", [1 << 20, (1 << 20) + 1, 10_000_000])
def test_overlong_line(log: Path, length: int) -> None:
    long = row("dns", 5, query="x" * (length - len(row("dns", 5, query="")) + 1))
    assert len(long) == length + 1
    found = loaded(log, header("dns") + rows(2, "dns") + long + "bad\n" + rows(2, "dns"))
    bad = "expected the 26 columns of #fields (found 1)"
    if length > 1 << 20:
        assert found.account.read == {"dns": 4}
        places = {f"x.log:10: line longer than 1 MiB ({length:,} bytes)", f"x.log:11: {bad}"}
    else:
        assert found.account.read == {"dns": 5}
        places = {f"x.log:11: {bad}"}
    assert set(found.problems) == places


def test_overlong_header(log: Path) -> None:
    fields = "#fields\t" + "x" * 2_000_000 + "\n"
    found = loaded(log, header() + rows(2) + "# " + "y" * 2_000_000 + "\n" + row() + fields + row())
    assert found.account.read == {"conn": 3}
    assert found.problems == ["x.log:13: rows before any #fields header"]


def test_five_thousand_columns(log: Path) -> None:
    more = [f"x{number}" for number in range(5000)]
    line = row().strip() + "\t" + "\t".join(more)
    found = loaded(log, header("conn", [*TYPES["conn"], *more]) + f"{line}\nbad\n{line}\n")
    assert found.account.read == {"conn": 2}
    assert found.problems == ["x.log:9: expected the 5022 columns of #fields (found 1)"]


def test_rows_without_header(log: Path) -> None:
    found = loaded(log, rows(4) + header() + row() + "#fields\tts\tts\n1\t2\n")
    assert found.account.skipped == {
        "rows before any #fields header": 4,
        "#fields lacks columns that a conn log must have": 1,
    }
    assert [problem.split(":")[1] for problem in found.problems] == ["1", "2", "3", "14"]


def test_what_duckdb_trips_over_is_found_by_halves(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = tsv_rows.TsvLoader._insert_lines

    def tripping(loader: tsv_rows.TsvLoader, count: int) -> object:
        connection = loader._engine.connection
        query = "SELECT count(*) FROM numbered WHERE contains(line, 'poison')"
        if connection.execute(query).fetchall() != [(0,)]:
            raise duckdb.InternalException("tripped")
        return insert(loader, count)

    monkeypatch.setattr(tsv_rows.TsvLoader, "_load_whole", lambda *_, **__: False)
    monkeypatch.setattr(tsv_rows.TsvLoader, "_insert_lines", tripping)
    content = header() + rows(20) + row(service="poison") + rows(30) + row(service="poison")
    found = loaded(log, content)
    assert found.account.read == {"conn": 50}
    assert found.problems == ["x.log:28: line not understood", "x.log:59: line not understood"]


def test_measure(log: Path) -> None:
    log.write_bytes(b"#\t\\\r\na\tb\nc")
    assert measure(log, "\t", 5) == Measure(2, 1, escaped=False, returns=False)
    assert measure(log, "\t") == Measure(3, 2, escaped=True, returns=True)
    log.write_bytes(b"")
    assert measure(log, "\t") == Measure(0, 0, escaped=False, returns=False)


def test_clean_log_is_scanned_once(log: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "by line":
        pytest.skip("it is scanned line by line here")
    log.write_text(header() + rows(100) + "#close\t1\n")

    def no_spool(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("analyzer.parsers.tsv.Spool", no_spool)
    assert load(log).account.read == {"conn": 100}

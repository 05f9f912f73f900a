"""JSON logs: the forms they come in, and what is wrong with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.errors import EmptyInputError
from analyzer.parsers import json_lines

from . import header, json_row, load, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from . import Loaded


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


def loaded(log: Path, content: str | bytes) -> Loaded:
    log.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(log)


def conn(log: Path, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """What one row of a conn log becomes."""
    (found,) = loaded(log, json_row(**changes)).tables["conn"]
    return found


def iso(seconds: float, ending: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + ending


@pytest.mark.parametrize(
    "write",
    [
        lambda seconds: seconds,
        str,
        lambda seconds: seconds * 1000,
        lambda seconds: iso(seconds, "Z"),
        lambda seconds: iso(seconds, ""),
        lambda seconds: iso(seconds, "+00:00"),
        lambda seconds: iso(seconds, "Z").replace("T", " "),
        lambda seconds: iso(seconds + 19800, "+05:30"),
    ],
)
@pytest.mark.parametrize("seconds", [1_700_000_000.123456, 1_262_304_000.0])
def test_times(log: Path, write: Callable[[float], object], seconds: float) -> None:
    assert conn(log, ts=write(seconds))["ts"] == seconds


def test_times_near_the_beginning(log: Path) -> None:
    assert conn(log, ts=0)["ts"] == 0
    assert conn(log, ts=0.25)["ts"] == 0.25
    assert conn(log, ts="1970-01-01T00:00:01Z")["ts"] == 1


@pytest.mark.parametrize(
    "time", ["now", "today", "epoch", "infinity", "nan", "", "x", True, [], {}, 1e999, "9" * 400]
)
def test_what_is_no_time(log: Path, time: object) -> None:
    found = loaded(log, json_row(ts=time) + json_row(number=1))
    assert found.uids == ["Cconn1"]
    assert found.problems[0].startswith("x.log:1: ts is not a time in seconds since 1970")


@pytest.mark.parametrize("spelling", ["id.{}", "id_{}", "{}", "nested"])
def test_spellings_of_the_connection_id(log: Path, spelling: str) -> None:
    given = json.loads(json_row())
    ends = {name: given.pop(f"id.{name}") for name in ("orig_h", "orig_p", "resp_h", "resp_p")}
    if spelling == "nested":
        given["id"] = ends
    else:
        given |= {spelling.format(name): value for name, value in ends.items()}
    extra = {"_path": "conn", "_write_ts": "x", "@timestamp": "y", "tags": [{"a": 1}]}
    found = loaded(log, json.dumps(extra | given))
    assert found.tables == loaded(log, json_row()).tables
    assert found.tables["conn"][0]["resp_p"] == 443


def test_same_as_tsv(log: Path) -> None:
    changes: dict[str, Any] = {"service": 'a"b\\c\u00fc', "local_orig": True, "ip_proto": 6}
    as_json = loaded(
        log,
        json_row(tunnel_parents=["Ca", "Cb"], duration=0.1 + 0.2, **changes)
        + json_row("dns", answers=["a,b", "", None], TTLs=[1, None], AA=False, query="-"),
    )
    service = 'a"b\\\\c\u00fc'
    as_tsv = loaded(
        log,
        header()
        + row(tunnel_parents="Ca,Cb", duration="0.300000", local_orig="T", ip_proto="6")
        + header("dns")
        + row("dns", answers="a\\x2cb,(empty),-", TTLs="1.000000,-", AA="F", query="\\x2d"),
    )
    assert as_json.tables["conn"][0]["service"] == service.replace("\\\\", "\\")
    as_json.tables["conn"][0]["service"] = None
    assert as_json.tables == as_tsv.tables


def test_rows_of_many_logs(log: Path) -> None:
    content = (
        '{"_path":"loaded_scripts","name":"base/init.zeek"}\n' * 150
        + json_row(_path="conn")
        + json_row("dns", _path="dns")
        + '{"_path":"weird","ts":1,"uid":"C1","name":"x"}\n'
        + json_row("ssl", _path="ssl")
        + json_row("http", _path=["http"])
        + '{"ts":1,"uid":"C1","fuid":"F1"}\n'
    )
    found = loaded(log, content)
    assert found.account.read == {"conn": 1, "dns": 1, "ssl": 1, "http": 1}
    assert found.server_names == {"Cssl0": "tls.example.com", "Chttp0": "web.example.com"}
    assert found.account.skipped == {"row of a log that is not used": 152}
    assert found.problems[0] == "x.log:1: row of a log that is not used (loaded_scripts)"
    assert [
        str(p).rsplit(":", 1)[-1] for p in load(log, keep_all_problems=True).account.problems()
    ][-2:] == [" row of a log that is not used (weird)", " row of a log that is not used"]


def test_other_log_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "files.log").write_text('{"ts":1,"fuid":"F","_path":"files"}\n\n' * 5)
    (tmp_path / "conn.log").write_text(json_row())
    found = load(tmp_path)
    assert (found.account.lines, found.account.skipped) == (1, {})
    assert found.account.files[1].note == "a Zeek files log, not one of conn, dns, ssl, http"


BAD_LINES = {
    "": "blank line",
    " \t": "blank line",
    "x": "not a JSON object (Expecting value)",
    json_row()[:40]: "not a JSON object (Unterminated string starting at)",
    "[1]": "not a JSON object (found '[1]')",
    "5": "not a JSON object (found '5')",
    "{}": "no row of a Zeek log",
    "[" * 100_000 + "]" * 100_000: "not a JSON object (RecursionError)",
    json_row(ts=None).strip(): "no row of a Zeek log",
    json_row(orig_p=70000).strip(): "id.orig_p is not a port, 0 to 65535 (found '70000')",
    json_row(duration=float("nan")).strip(): "duration is not an interval in seconds (found 'NaN')",
    json_row(orig_bytes=-1).strip(): "orig_bytes is not a count below 2^53 (found '-1')",
    json_row(orig_bytes=10**30).strip(): f"orig_bytes is not a count below 2^53 (found '{10**30}')",
    json_row(
        orig_bytes={"a": 1}
    ).strip(): "orig_bytes is not a count below 2^53 (found '{\"a\": 1}')",
    json_row(local_orig="maybe").strip(): "local_orig is not T or F (found 'maybe')",
    json_row(
        "dns", TTLs=[1, "x"]
    ).strip(): "TTLs is not an interval in seconds (found '[1, \"x\"]')",
    json_row("dns", resp_h=None).strip(): "id.resp_h is not set",
    json_row(service="@").strip().replace("@", "\\ud800"): "line not understood",
}


def test_bad_lines_cost_only_themselves(log: Path) -> None:
    log.write_text("".join(f"{json_row()}{bad}\n" for bad in BAD_LINES))
    found = load(log, keep_all_problems=True)
    assert found.account.read == {"conn": len(BAD_LINES)}
    assert sorted(found.problems, key=lambda text: int(text.split(":")[1])) == [
        f"x.log:{2 * number}: {problem}" for number, problem in enumerate(BAD_LINES.values(), 1)
    ]


def test_keys_that_differ_in_case_only(log: Path) -> None:
    found = conn(log, TS=5, Ts="x", UID="y", ID={"orig_h": "z"}, Proto=[])
    assert found == conn(log)
    (dns,) = loaded(log, json_row("dns", AA=True, aa="x", z=5, ttls=["x"])).tables["dns"]
    assert (dns["AA"], dns["Z"], dns["TTLs"]) == (True, None, None)


def test_fields_of_other_kinds(log: Path) -> None:
    assert conn(log, id="text") == conn(log)
    assert conn(log, id=[1], _path={"a": 1}, service=None, history=None) == conn(log)
    found = conn(log, uid=5, service=["http", "ssl"], orig_bytes="7", orig_p="80", local_orig="T")
    assert (found["uid"], found["service"]) == ("5", '["http","ssl"]')
    assert (found["orig_bytes"], found["orig_p"], found["local_orig"]) == (7, 80, True)


def test_sets_in_other_forms(log: Path) -> None:
    (dns,) = loaded(log, json_row("dns", answers="a.example", TTLs=60)).tables["dns"]
    assert (dns["answers"], dns["TTLs"]) == (["a.example"], [60])
    (dns,) = loaded(log, json_row("dns", answers=[1, True, {"a": 1}], TTLs=[])).tables["dns"]
    assert (dns["answers"], dns["TTLs"]) == (["1", "true", '{"a":1}'], [])


def test_bytes_that_are_no_utf8(log: Path) -> None:
    content = json_row("dns", query="@.example").encode().replace(b"@", b"\xff\xc3")
    found = loaded(log, content + json_row("dns", 1, query="\\xff").encode())
    assert [row["query"] for row in found.tables["dns"]] == ["\\xff\\xc3.example", "\\xff"]


def test_line_ends_and_marks(log: Path) -> None:
    content = "\ufeff" + (json_row() + json_row("dns")).replace("\n", "\r\n").rstrip()
    found = loaded(log, content)
    assert (found.account.read, found.account.skipped) == ({"conn": 1, "dns": 1}, {})


def test_text_that_looks_like_line_ends(log: Path) -> None:
    text = "a\u2028b\x85c"
    found = loaded(log, json.dumps({**json.loads(json_row()), "service": text}, ensure_ascii=False))
    assert found.tables["conn"][0]["service"] == text


@pytest.mark.parametrize("first", ['0.5,"proto":"tcp"}\n', "\n\n", "# a comment\n"])
def test_broken_first_line(log: Path, first: str) -> None:
    found = loaded(log, first + json_row())
    assert found.account.read == {"conn": 1}
    assert found.account.skipped.total() == first.count("\n")


@pytest.mark.parametrize("length", [1 << 20, (1 << 20) + 1, 10_000_000])
def test_overlong_line(log: Path, length: int) -> None:
    long = json_row(service="x" * (length - len(json_row(service="")) + 1))
    assert len(long) == length + 1
    found = loaded(log, long + json_row(number=1) + long)
    if length == 1 << 20:
        assert found.account.read == {"conn": 3}
    else:
        problem = f"line longer than 1 MiB ({length:,} bytes)"
        assert found.account.read == {"conn": 1}
        assert found.problems == [f"x.log:1: {problem}", f"x.log:3: {problem}"]


def test_row_given_twice_is_no_other_log(log: Path) -> None:
    line = json_row().replace('"ts"', '"ts": 5, "ts"')
    assert loaded(log, line).tables["conn"][0]["ts"] == 5


def test_json_that_is_no_log(log: Path) -> None:
    with pytest.raises(EmptyInputError, match="neither a Zeek log"):
        loaded(log, '{"a":1}\n' * 200)


def test_lines_are_loaded_as_a_block(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    insert = json_lines.JsonLoader._insert_lines

    def counting(loader: json_lines.JsonLoader, count: int) -> Any:  # noqa: ANN401
        counts.append(count)
        return insert(loader, count)

    monkeypatch.setattr(json_lines.JsonLoader, "_insert_lines", counting)
    content = "".join(json_row(number=number) for number in range(20_000))
    assert loaded(log, content).account.read == {"conn": 20_000}
    assert counts == [20_000]

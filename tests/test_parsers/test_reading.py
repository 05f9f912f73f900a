"""Reading anything: names, directories, standard input, real logs, and what is none."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import lzma
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zat.log_to_dataframe import LogToDataFrame
from zat.zeek_log_reader import ZeekLogReader

from analyzer.engine import Engine
from analyzer.errors import AnalyzerError, EmptyInputError, ResourceError
from analyzer.parsers import blocks, captures, reading, spool, tsv, tsv_rows
from analyzer.parsers.discovery import discover
from analyzer.parsers.reading import read
from analyzer.records import LOGS
from tests.traffic import Traffic, office

from . import (
    EVERY_COLUMN,
    TYPES,
    assert_balanced,
    header,
    json_row,
    load,
    row,
    rows,
    table_rows,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONN = header() + rows(3)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}
NAMES = (
    "conn.log",
    "conn.2024-01-15-13-00-00.log",
    "2024-01-15/conn.13:00:00-14:00:00-logger-1.log",
    "conn__2024-01-15-13-00-00__2024-01-15-14-00-00__.log",
    "conn_20240115_130000-140000+0000.log",
    "json_streaming_conn.1.log",
    "conn.log.labeled",
    "day=2024-01-15/conn.log",
    "a[1]*?.log",
    'it\'s "quoted".log',
    "~/x.log",
    "file:x.log",
    "plain.log.gz",
    "tab\tand\nline.log",
    "\u00fc\udcff.log",
    "-",
)


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return office(3, hosts=16, days=0.1, attacks=["dns_tunnel"])


def tables(*paths: Path) -> dict[str, Any]:
    return load(*paths).tables


@pytest.mark.parametrize("name", NAMES)
def test_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CONN)
    assert load(path).account.read == {"conn": 3}
    assert load(tmp_path).account.files[0].name == str(path)
    if name != "-":
        monkeypatch.chdir(tmp_path)
        assert load(name).account.files[0].name == name


@pytest.mark.parametrize("content", [CONN, json_row() * 3], ids=["tsv", "json"])
@pytest.mark.parametrize("ending", COMPRESS)
def test_compressed_logs(tmp_path: Path, ending: str, content: str) -> None:
    path = tmp_path / f"conn.log{ending}"
    path.write_bytes(COMPRESS[ending](content.encode()))
    found = load(path)
    assert found.account.read == {"conn": 3}
    assert found.account.files[0].size == path.stat().st_size
    # What a file is, is found from its content.
    assert load(path.rename(tmp_path / "conn")).tables == found.tables


@pytest.mark.parametrize("content", [CONN, json_row() * 3], ids=["tsv", "json"])
@pytest.mark.parametrize("ending", COMPRESS)
def test_standard_input(monkeypatch: pytest.MonkeyPatch, ending: str, content: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(COMPRESS[ending](content.encode())))
    monkeypatch.setattr(sys, "stdin", stream)
    found = load("-")
    assert found.account.read == {"conn": 3}
    assert found.account.files[0].name == "<stdin>"


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(EmptyInputError, match="<stdin>: cannot be read: standard input is closed"):
        load("-")


def test_pipe_that_gives_little_at_a_time(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    if not os.fork():
        with fifo.open("wb", buffering=0) as file:
            for at in range(0, len(CONN), 7):
                file.write(CONN[at : at + 7].encode())
        os._exit(0)
    assert load(fifo).account.read == {"conn": 3}
    os.wait()


def test_members_with_other_headers(tmp_path: Path) -> None:
    content = header("dns") + rows(2, "dns") + "bad\n" + row("dns", 2)
    (tmp_path / "x.gz").write_bytes(gzip.compress(CONN.encode()) + gzip.compress(content.encode()))
    found = load(tmp_path)
    assert found.account.read == {"conn": 3, "dns": 3}
    assert found.problems == ["x.gz:20: expected the 26 columns of #fields (found 1)"]


def test_live_log(tmp_path: Path) -> None:
    path = tmp_path / "conn.log"
    path.write_text(CONN + row(number=3).strip())
    assert load(path).account.read == {"conn": 4}
    path.write_text(CONN + row(number=3)[:40])
    found = load(path)
    assert found.account.read == {"conn": 3}
    assert found.problems == ["conn.log:11: expected the 22 columns of #fields (found 5)"]


def test_open_connections(tmp_path: Path) -> None:
    states = [row(number=1, duration="9.0"), row(number=1, duration="5.0"), row(number=2)]
    unset = [row(number=9, uid="-"), row(number=8, uid="-")]
    (tmp_path / "open_conn.log").write_text(header() + "".join(states + unset) + row(number=0))
    (tmp_path / "open_conn.1.log").write_text(json_row(number=2, duration=7))
    (tmp_path / "conn.log").write_text(header() + row(number=0, duration="20.0"))
    found = load(tmp_path)
    assert found.account.read == {"conn": 8}
    lasted = [(row["uid"], row["duration"]) for row in found.tables["conn"]]
    assert sorted(lasted, key=str) == [
        ("Cconn0", 20),
        ("Cconn1", 9),
        ("Cconn2", 7),
        (None, 1.5),
        (None, 1.5),
    ]


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("form", ["tsv", "json"])
def test_truncated_gzip(tmp_path: Path, form: str, part: float) -> None:
    lines = [row(number=n) if form == "tsv" else json_row(number=n) for n in range(2000)]
    content = (header() if form == "tsv" else "") + "".join(lines)
    data = gzip.compress(content.encode())
    path = tmp_path / "conn.log.gz"
    path.write_bytes(data[: int(len(data) * part)])
    found = load(path)
    (file,) = found.account.files
    count = file.read["conn"]
    assert 2000 * part * 0.7 < count < 2000
    assert found.uids == [f"Cconn{number}" for number in range(count)]
    assert file.note == f"gzip data ends early, after byte {path.stat().st_size}"
    assert file.failed
    assert file.skipped == {"line cut off where the file broke": 1}
    line = count + 1 + (7 if form == "tsv" else 0)
    assert found.problems[1] == f"conn.log.gz:{line}: line cut off where the file broke"


def test_damaged_file_among_good_ones(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(CONN.encode()))
    data[-1] ^= 1
    (tmp_path / "a.gz").write_bytes(data)
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8b nonsense")
    (tmp_path / "c.log").write_text(header("dns") + rows(2, "dns"))
    found = load(tmp_path)
    assert found.account.read == {"conn": 3, "dns": 2}
    assert [file.failed for file in found.account.files] == [True, True, False]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"", "empty file"),
        (b"\n\n", reading.NO_LOG),
        (b"hello\n", reading.NO_LOG),
        (bytes(100_000), reading.NO_LOG),
        (b'[{"ts":1}]', reading.NO_LOG),
    ],
)
def test_what_is_no_log(tmp_path: Path, content: bytes, note: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(EmptyInputError) as raised:
        load(path)
    problem = f"{path}: {note}"
    assert str(raised.value) == f"no conn or dns record in 1 file(s); {problem}"
    (tmp_path / "conn.log").write_text(CONN)
    in_directory, named = load(tmp_path), load(path, tmp_path)
    assert [file.failed for file in in_directory.account.files] == [False, False]
    assert [file.failed for file in named.account.files] == [bool(content), False]


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(EmptyInputError, match=r"^no files there to read$"):
        load(tmp_path)
    (tmp_path / "ssl.log").write_text(header("ssl") + rows(2, "ssl"))
    with pytest.raises(EmptyInputError, match=r"^no conn or dns record in 1 file\(s\)$"):
        load(tmp_path)
    (tmp_path / "conn.log").write_text(header() + "bad\n")
    with pytest.raises(EmptyInputError, match=r"conn.log:8: expected the 22 columns"):
        load(tmp_path)


def test_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conn.log").write_text(CONN)
    (tmp_path / "dns.log").write_text(header("dns"))
    opened = Path.open

    def refusing(path: Path, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        if path.name == "dns.log":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refusing)
    assert load(tmp_path).problems == ["dns.log: cannot be read: Permission denied"]


def test_file_that_vanishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conn.log").write_text(CONN)
    (tmp_path / "dns.log").write_text(header("dns"))

    def vanishing(paths: Any) -> Any:  # noqa: ANN401
        sources = discover(paths)
        (tmp_path / "dns.log").unlink()
        return sources

    monkeypatch.setattr(captures, "discover", vanishing)
    found = load(tmp_path)
    assert found.account.read == {"conn": 3}
    assert found.problems == ["dns.log: cannot be read: No such file or directory"]


def test_file_that_is_moved_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "conn.log"
    path.write_text(CONN)
    load_file = tsv.load_file

    def moving(*arguments: Any, **options: Any) -> bool:  # noqa: ANN401
        path.rename(tmp_path / "conn.1.log")
        return load_file(*arguments, **options)

    monkeypatch.setattr(tsv, "load_file", moving)
    assert load(path).account.read == {"conn": 3}


def test_full_disk_is_not_the_input_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "conn.log.gz"
    path.write_bytes(gzip.compress(CONN.encode()))
    with Engine() as engine:
        (engine.directory / "rows.tsv").symlink_to("/dev/full")
        monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(ResourceError, match="point TMPDIR at a disk with more room"):
            read([path], engine)


def test_progress_tells_every_byte(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(header() + rows(10_000))
    (tmp_path / "b.gz").write_bytes(gzip.compress((header("dns") + rows(5, "dns")).encode()))
    (tmp_path / "c.log").write_text(json_row())
    told: list[int] = []
    with Engine() as engine:
        read([tmp_path], engine, on_progress=told.append)
    assert sum(told) == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_all_forms_of_the_same_traffic(
    tmp_path: Path, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic.write(tmp_path / "tsv")
    expected = load(tmp_path / "tsv")
    assert expected.account.read == {
        "conn": len(traffic.conn),
        "dns": len(traffic.dns),
        "ssl": len(traffic.ssl),
    }
    traffic.write(tmp_path / "json", format="json")
    traffic.write(tmp_path / "gz", compression="gz")
    traffic.write(tmp_path / "json-gz", format="json", compression="gz")
    traffic.write(tmp_path / "archive", compression="gz", rotate=3600)
    for form in ("json", "gz", "json-gz", "archive"):
        found = load(tmp_path / form)
        assert found.account.skipped == {}
        assert found.tables == expected.tables, form
        assert found.server_names == expected.server_names
    together = b"".join(path.read_bytes() for path in sorted((tmp_path / "archive").rglob("*.gz")))
    (tmp_path / "together.gz").write_bytes(together)
    assert tables(tmp_path / "together.gz") == expected.tables
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 1 << 14)
    monkeypatch.setattr(spool, "BLOCK_SIZE", 1 << 14)
    assert tables(tmp_path / "json-gz") == expected.tables
    monkeypatch.setattr(tsv_rows.TsvLoader, "_load_whole", lambda *_, **__: False)
    assert tables(tmp_path / "tsv") == expected.tables


@pytest.mark.filterwarnings("ignore")  # zat itself uses what pandas is about to drop
def test_zat_reads_the_same(tmp_path: Path, traffic: Traffic) -> None:
    traffic.write(tmp_path)
    found = tables(tmp_path)
    conn = LogToDataFrame().create_dataframe(str(tmp_path / "conn.log"), ts_index=False)
    ours = pd.DataFrame(found["conn"]).set_index("uid").sort_index()
    theirs = (
        conn.set_index("uid").sort_index().rename(columns=lambda name: name.removeprefix("id."))
    )
    assert list(theirs.index) == list(ours.index)
    for column in ("orig_h", "orig_p", "resp_h", "resp_p", "proto", "conn_state", "orig_pkts"):
        assert theirs[column].tolist() == ours[column].tolist(), column
    for column in ("orig_bytes", "resp_bytes"):
        assert theirs[column].fillna(0).tolist() == ours[column].fillna(0).tolist()
    # zat makes local times without a zone of it, and takes what is unset for 0 in its own reader.
    dns = {row["uid"]: row for row in ZeekLogReader(str(tmp_path / "dns.log")).readrows()}
    assert len(found["dns"]) == len(traffic.dns)
    for mine in found["dns"]:
        other = dns[mine["uid"]]
        assert other["query"].replace("\\\\", "\\") == (mine["query"] or "-")
        assert (other["id.orig_h"], other["id.resp_p"]) == (mine["orig_h"], mine["resp_p"])
        assert other["ts"].timestamp() == pytest.approx(mine["ts"], abs=1e-6)


REAL = ("zeek", "formats")


def test_real_logs_read_or_say_why_not(data: Path) -> None:
    files = [path for part in REAL for path in sorted((data / part).rglob("*")) if path.is_file()]
    assert files
    said: list[str] = []
    with Engine(column_names=EVERY_COLUMN) as engine:
        for path in files:
            try:
                account = read([path], engine)
            except EmptyInputError as error:
                said.append(str(error))
                continue
            assert_balanced(account)
            (file,) = account.files
            expected = path.read_bytes().count(b"\n") if path.suffix != ".gz" else file.lines
            assert file.lines <= expected + 1
    assert all(text.startswith("no conn or dns record in 1 file(s)") for text in said)


def test_real_labels_cost_nothing(data: Path) -> None:
    found = load(data / "zeek" / "mixed-labelled")
    assert found.account.skipped == {}
    assert found.account.read["conn"] > 1000


def test_sample_is_the_same_in_both_forms(data: Path) -> None:
    sample = data / "formats" / "zed-sample"
    as_tsv, as_json = tables(sample / "tsv"), tables(sample / "json")
    assert len(as_tsv["dns"]) > 1000
    assert as_tsv["dns"] == as_json["dns"]


# What no input may do: fail in any other way than by an AnalyzerError, or cook the books.

LOGS_TO_MANGLE = [
    (header() + rows(12)).encode(),
    (header("dns") + rows(12, "dns")).encode(),
    (CONN + header("dns") + rows(5, "dns") + "#close\t1\n").encode(),
    "".join(json_row("conn" if n % 3 else "dns", n) for n in range(12)).encode(),
    (header("ssl") + rows(3, "ssl") + CONN).encode(),
    gzip.compress((CONN * 20).encode()),
    zstd.compress((CONN * 20).encode()),
]
INSERTIONS = [
    *(bytes([byte]) for byte in b'\0\r\n\t\xff#"\\- {}[,:\x85'),
    *(b"\\x09", b"(empty)", b"nan", b"1e400", b"\xc3\xbc", b"\r\n\r\n", b"1_0", b"80.0", b"0x1F"),
    *(b"#fields\tts\n", b"#fields\t\t\n", b"#close\n", b"#separator \\x0a\n", b"#separator ,\n"),
    *(b"#separator \n", b"#separator ab\n", b"#unset_field\t\n", b"#unset_field\t'\"\\\n"),
    *(
        b"#set_separator\t''\n",
        b"#empty_field\t-\n",
        b"null",
        b"\xe2\x80\xa8",
        b"x" * 2000,
        b"[" * 999,
    ),
]
bounded = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(column_names=EVERY_COLUMN, threads=1) as engine:
        yield engine


def outcome(engine: Engine, path: Path) -> object:
    """What comes of reading a file: rows and books, or what was said instead."""
    for table in (*LOGS, "open_conn"):
        engine.connection.execute(f"DELETE FROM {table}")
    try:
        account = read([path], engine)
    except AnalyzerError as error:
        return str(error)
    assert_balanced(account)
    (file,) = account.files
    examples = sorted(map(str, file.examples))
    found = {log: table_rows(engine, log) for log in LOGS}
    assert sum(map(len, found.values())) == file.read.total()
    return repr((found, file.read, sorted(file.skipped.items()), file.lines, file.note, examples))


def check(engine: Engine, content: bytes) -> None:
    """Read some content, and read it line by line: the same must come of it."""
    path = engine.directory / "any.tmp"
    path.write_bytes(content)
    whole = outcome(engine, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tsv_rows.TsvLoader, "_load_whole", lambda *_, **__: False)
        assert outcome(engine, path) == whole


@bounded
@given(
    st.sampled_from(LOGS_TO_MANGLE),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from([b"", *INSERTIONS])),
        max_size=6,
    ),
)
def test_mangled_logs(
    engine: Engine, content: bytes, edits: list[tuple[float, int, bytes]]
) -> None:
    mangled = bytearray(content)
    for place, length, insertion in edits:
        at = int(place * len(mangled))
        mangled[at : at + length * (not insertion)] = insertion
    check(engine, bytes(mangled))


@bounded
@given(st.sampled_from(LOGS_TO_MANGLE), st.floats(0, 1), st.integers(0, 7))
def test_flipped_bits_and_cuts(engine: Engine, content: bytes, place: float, bit: int) -> None:
    at = min(int(place * len(content)), len(content) - 1)
    flipped = bytearray(content)
    flipped[at] ^= 1 << bit
    check(engine, bytes(flipped))
    check(engine, content[:at])


headers = st.lists(
    st.one_of(
        st.sampled_from([*TYPES["conn"], *TYPES["dns"], "id_orig_h", "orig_h", "", "#", "TS"]),
        st.text(max_size=3),
    ),
    max_size=30,
)
marks = st.one_of(
    st.sampled_from(["", "-", "'", '"', "\\", "''", "\\x00", ",", "\t"]), st.text(max_size=3)
)


@bounded
@given(headers, st.sampled_from(["\\x09", "\\x0a", ",", "", "||", "\\", "'", "\\x00", "-", "1"]),
       marks, marks, marks, st.booleans())  # fmt: skip
def test_any_header(  # noqa: PLR0917
    engine: Engine,
    names: list[str],
    separator: str,
    set_separator: str,
    empty: str,
    unset: str,
    whole: bool,  # noqa: FBT001
) -> None:
    mark = {"\\x09": "\t", "\\x0a": "\n", "": "\t", "\\x00": "\0"}.get(separator, separator)
    fields = [*TYPES["conn"], *names] if whole else names
    texts = values() | {"answers": f"a{set_separator}b", "TTLs": f"1{set_separator}{unset}"}
    line = mark.join(texts.get(name, unset) for name in fields).replace("\n", "")
    lines = [f"#separator {separator}", f"#set_separator{mark}{set_separator}"]
    lines += [
        f"#empty_field{mark}{empty}",
        f"#unset_field{mark}{unset}",
        f"#fields{mark}{mark.join(fields)}",
    ]
    content = "\n".join([*lines, line, line.replace("-", unset), "bad", ""])
    check(engine, content.encode("utf-8", "surrogatepass"))


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["2024-01-15T00:00:00Z", "now", "-", "(empty)", 1e11, 10**400, "\ud800"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
json_keys = st.sampled_from(
    [*TYPES["conn"], *TYPES["dns"], "id", "id_orig_h", "orig_h", "TS", "Id", "_path", "host", "aa"]
)


@bounded
@given(st.lists(st.dictionaries(json_keys, json_values, max_size=6), max_size=6), st.booleans())
def test_any_json(engine: Engine, changes: list[dict[str, Any]], whole: bool) -> None:  # noqa: FBT001
    base = json.loads(json_row()) if whole else {}
    lines = [json_row(), *(json.dumps(base | change) + "\n" for change in changes), json_row("dns")]
    check(engine, "".join(lines).encode())


@bounded
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", header().encode(), b"{", b"\x1f\x8b\x08", b"BZh9"]),
)
def test_any_bytes(engine: Engine, content: bytes, start: bytes) -> None:
    check(engine, start + content)


def test_random_megabytes(engine: Engine) -> None:
    content = random.Random(0).randbytes(1 << 20)  # noqa: S311 - any bytes will do
    for start in (b"", header().encode(), json_row().encode()):
        check(engine, start + content)


def test_deep_json(engine: Engine) -> None:
    deep = '{"ts":' * 50_000 + "1" + "}" * 50_000
    line = json_row().replace("SF", "@").replace('"@"', "[" * 300_000 + "]" * 300_000)
    check(engine, f"{deep}\n{line}{json_row()}".encode())


def test_many_headers(engine: Engine) -> None:
    parts = itertools.cycle([CONN, header("dns") + row("dns"), "#fields\n#path\n"])
    check(engine, "".join(itertools.islice(parts, 60)).encode())


def test_command_line_on_what_is_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from analyzer.cli import main  # noqa: PLC0415 - only here

    (tmp_path / "x.log").write_bytes(bytes(range(256)))
    assert main(["analyze", str(tmp_path / "x.log")]) == 2
    assert reading.NO_LOG in capsys.readouterr().err

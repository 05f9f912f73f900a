"""Labels of every kind of file, and what becomes of lines that are none."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analyzer.errors import EmptyInputError, InputError
from analyzer.label_rows import ALWAYS
from analyzer.labels import Labels, read_labels

HEAD = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
TABBED = HEAD + (
    "#fields\tts\tuid\tid.orig_h\ttunnel_parents\tlabel\tdetailedlabel\n"
    "#types\ttime\tstring\taddr\tset[string]\tstring\tstring\n"
    "1.5\tC1\t10.0.0.5\t(empty)\tMalicious\tC&C\n"
    "2.5\tC2\t10.0.0.5\t(empty)\tBenign\t-\n"
    "3.5\tC3\t10.0.0.5\t(empty)\tBackground\t(empty)\n"
    "#close\t2026-01-19-00-00-00\n"
)
SPACED = HEAD + (
    "#fields\tts\tuid\tid.orig_h\ttunnel_parents   label   detailed-label\n"
    "#types\ttime\tstring\taddr\tset[string]   string   string\n"
    "1.5\tC1\t10.0.0.5\t(empty)   Malicious   C&C\n"
    "2.5\tC2\t10.0.0.5\t-   Benign   -\n"
    "3.5\tC3\t10.0.0.5\t(empty)   Background   (empty)\n"
)
ROWS = [
    {"uid": "C1", "attack": True, "label": "C&C"},
    {"uid": "C2", "attack": False, "label": "Benign"},
    {"uid": "C3", "attack": None, "label": "Background"},
]
CSV = 'uid,label,detailed-label\nC1,Malicious,C&C\n"C2",Benign,\nC3,"Background",-\n'
JSON = (
    '{"uid":"C1","label":"Malicious","detailed-label":"C&C","id.orig_h":"10.0.0.5"}\n'
    '{"uid":"C2","label":"Benign"}\n\n{"label":"Background","uid":"C3"}'
)


def written(directory: Path, text: str, name: str = "labels") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def rows(table: pa.Table) -> list[dict[str, Any]]:
    return list(table.to_pylist())


@pytest.mark.parametrize(
    "text",
    [
        TABBED,
        SPACED,
        CSV,
        CSV.replace(",", "\t"),
        CSV.replace("\n", "\r\n"),
        "\ufeff" + CSV,
        CSV.replace("uid,label", " UID , Label "),
        JSON,
    ],
    ids=["tabbed", "spaced", "csv", "tsv", "crlf", "bom", "upper", "json"],
)
def test_labels_by_uid(tmp_path: Path, text: str) -> None:
    labels = read_labels([written(tmp_path, text)])
    assert rows(labels.by_uid) == ROWS
    assert len(labels.by_host) == 0
    assert labels.account.read == Counter(label=3)
    assert not labels.account.skipped


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "conn.log.labeled.gz"
    path.write_bytes(gzip.compress(SPACED.encode()))
    assert rows(read_labels([path]).by_uid) == ROWS


@pytest.mark.parametrize(
    "text",
    [
        "address,label,from,to\n10.0.0.5,Bot,100,2026-01-19T08:00\n::1,normal,,\n",
        """{"address":"10.0.0.5","label":"Bot","from":100,"to":"2026-01-19 08:00:00Z"}
{"address":"::1","label":"normal"}""",
    ],
)
def test_labels_by_host(tmp_path: Path, text: str) -> None:
    labels = read_labels([written(tmp_path, text)])
    assert rows(labels.by_host) == [
        {
            "address": "10.0.0.5",
            "begin": 100.0,
            "end": 1768809600.0,
            "attack": True,
            "label": "Bot",
        },
        {
            "address": "::1",
            "begin": ALWAYS[0],
            "end": ALWAYS[1],
            "attack": False,
            "label": "normal",
        },
    ]
    assert len(labels.by_uid) == 0


def reasons(labels: Labels) -> list[str]:
    return [str(problem) for problem in labels.account.problems()]


def test_lines_that_are_no_label_are_counted_with_their_place(tmp_path: Path) -> None:
    table = written(tmp_path, "uid,label\nC1,Bot\nC2\n-,Bot\nC3,Bot,more\n", "a.csv")
    lines = written(tmp_path, '{"uid":"C4","label":"Bot"}\n{"uid":"C5"}\nnothing\n', "b.json")
    log = written(tmp_path, TABBED + "4.5\tC6\n", "c.log")
    labels = read_labels([table, lines, log])
    assert labels.by_uid["uid"].to_pylist() == ["C1", "C4", "C1", "C2", "C3"]
    assert reasons(labels) == [
        f"{table}:3: not as many columns as the header names",
        f"{table}:4: row without a uid",
        f"{table}:5: not as many columns as the header names",
        f"{lines}:2: no label",
        f"{lines}:3: not a JSON object",
        f"{log}:12: not as many columns as #fields names",
    ]
    assert labels.account.skipped.total() == 6
    assert labels.account.lines == 11


def test_a_directory_may_hold_other_files(tmp_path: Path) -> None:
    written(tmp_path, SPACED, "conn.log.labeled")
    written(tmp_path, HEAD + "#fields\tts\tuid\n1.0\tC1\n", "dns.log")
    written(tmp_path, '{"ts":1.0,"uid":"C1"}\n', "ssl.log")
    written(tmp_path, "", "empty")
    (tmp_path / "capture.pcap").write_bytes(b"\xd4\xc3\xb2\xa1" + bytes(100))
    labels = read_labels([tmp_path])
    assert rows(labels.by_uid) == ROWS
    assert [(Path(f.name).name, f.failed) for f in labels.account.files if f.note] == [
        ("capture.pcap", False),
        ("dns.log", False),
        ("empty", False),
        ("ssl.log", False),
    ]
    assert not labels.account.skipped


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty file"),
        ("uid,verdict\nC1,Bot\n", "expected a header with uid,label or address,label"),
        ("uid,label\n", "no label in 1 file"),
        ("uid,label\nC1\n", ":2: not as many columns as the header names"),
        (HEAD + "#fields\tts\tuid\n1.0\tC1\n", "a log without the columns uid and label"),
        ('{"ts":1.0,"uid":"C1"}\n', ":1: no label"),
    ],
)
def test_no_label_at_all(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(EmptyInputError, match="no label in 1 file") as raised:
        read_labels([written(tmp_path, text)])
    assert said in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_labels([tmp_path / "gone"])


PIECES = st.sampled_from(
    [
        b"#separator \\x09\n",
        b"#fields\tuid\tlabel   detailed-label\n",
        b"#fields",
        b"uid,label\n",
        b"address\tlabel\tfrom\tto\n",
        b"C1\tMalicious   C&C\n",
        b'{"uid":"\\ud800","label":1e999}\n',
        b'{"address":"::1","label":"Bot","to":1e400}\n',
        b'"',
        b"\x00",
        b"\xff\xfe",
        b"\n",
        b"\t",
        b",",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(b"uid,label\n\x00,\xff\n")
@example(b"#separator \\x00\n#fields\x00uid\x00label\nC1\x00Bot\n")
@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=12).map(b"".join)))
def test_no_bytes_crash(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "labels"
    path.write_bytes(data)
    try:
        labels = read_labels([path])
    except EmptyInputError:
        return
    account = labels.account
    number = len(labels.by_uid) + len(labels.by_host)
    assert number == account.read["label"] > 0
    assert account.lines == number + account.skipped.total()

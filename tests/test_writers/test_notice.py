"""Notice logs: exact bytes, what other readers make of them, suppression."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zat.log_to_dataframe import LogToDataFrame
from zat.zeek_log_reader import ZeekLogReader

from analyzer.errors import OutputError
from analyzer.findings import ConnectionId, Evidence, Finding
from analyzer.mitre import technique
from analyzer.writers.notice import (
    COLUMNS,
    Written,
    notice_lines,
    score_text,
    unsuppressed,
    write_notices,
)
from analyzer.zeek_format import replace_undecodable, unescape

from . import FIRST, make_finding

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = FIRST + 86400
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too

PREAMBLE = (
    "#separator \\x09\n"
    "#set_separator\t,\n"
    "#empty_field\t(empty)\n"
    "#unset_field\t-\n"
    "#path\tnotice\n"
    "#open\t2023-11-15-22-13-20\n"
)
FIELDS = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p fuid file_mime_type file_desc proto note msg "
    "sub src dst p n peer_descr actions email_dest suppress_for remote_location.country_code "
    "remote_location.region remote_location.city remote_location.latitude "
    "remote_location.longitude"
)
TYPES = (
    "time string addr port addr port string string string enum enum string string addr addr port "
    "count string set[enum] set[string] interval string string string double double"
)
STRICT_HEADER = (
    f"{PREAMBLE}#fields\t" + "\t".join(FIELDS.split()) + "\n#types\t" + "\t".join(TYPES.split())
)
STRICT_ROW = (
    "1700000400.123456\tCHhAvVGS1DHFjwGM9\t10.0.0.5\t40000\t10.0.1.9\t22\t-\t-\t-\ttcp\t"
    "ZeekAnalyzer::Address_Scan\t10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain\t"
    "T1046 Network Service Discovery | severity high, score 0.93 | id fd417669d8582230\t"
    "10.0.0.5\t-\t22\t254\t-\t"
    "Notice::ACTION_LOG\t(empty)\t3600.000000\t-\t-\t-\t-\t-"
)
CLOSE = "#close\t2023-11-15-22-13-20\n"


def _text(findings: list[Finding], **options: Any) -> str:  # noqa: ANN401 - passed on
    return "".join(notice_lines(findings, written=WRITTEN, **options))


def _row(finding: Finding, *, strict: bool = False) -> list[str]:
    lines = list(notice_lines([finding], strict=strict, written=WRITTEN))
    assert len(lines) == 3
    assert lines[1].endswith("\n")
    return lines[1][:-1].split("\t")


def test_strict_log_has_zeeks_bytes() -> None:
    assert _text([make_finding()], strict=True) == f"{STRICT_HEADER}\n{STRICT_ROW}\n{CLOSE}"
    assert len(STRICT_ROW.split("\t")) == len(COLUMNS) == 26


def test_own_columns_follow_zeeks() -> None:
    own_fields = "mitre_technique_id\tmitre_tactic_id\tscore\tseverity\tevidence"
    own_types = "set[string]\tset[string]\tdouble\tstring\tstring"
    header = STRICT_HEADER.replace("\n#types", f"\t{own_fields}\n#types") + f"\t{own_types}"
    row = (
        f"{STRICT_ROW}\tT1046\tTA0007\t0.93\thigh\tfailed hosts 250 (expected 1.2, threshold 20); "
        "share failed 0.984 (threshold 0.8); length 6.67 min"
    )
    assert _text([make_finding()]) == f"{header}\n{row}\n{CLOSE}"


def test_what_a_finding_lacks_is_unset() -> None:
    bare = make_finding(
        techniques=(), evidence=(), best=None, port=None, proto=None, source="fe80::1"
    )
    row = _row(bare)
    assert row[1:10] == ["-"] * 9
    assert row[12:17] == [
        "severity high, score 0.93 | id eff25cd8869f09bc",
        "fe80::1",
        "-",
        "-",
        "254",
    ]
    assert row[26:] == ["-", "-", "0.93", "high", "-"]


def test_without_a_best_connection_proto_is_the_findings() -> None:
    assert _row(make_finding(best=None))[9] == "tcp"


def test_src_is_who_the_finding_is_about_even_as_responder() -> None:
    best = ConnectionId(None, "10.0.1.9", 40000, "10.0.0.5", 22, "udp")
    row = _row(make_finding(best=best, destination="10.0.1.9"))
    assert row[1:6] == ["-", "10.0.1.9", "40000", "10.0.0.5", "22"]
    assert (row[9], row[13], row[14]) == ("udp", "10.0.0.5", "10.0.1.9")


def test_several_techniques() -> None:
    row = _row(make_finding(techniques=(technique("T1071.004"), technique("T1046"))))
    assert row[12] == (
        "T1071.004 Application Layer Protocol: DNS | T1046 Network Service Discovery"
        " | severity high, score 0.93 | id fd417669d8582230"
    )
    assert row[26:28] == ["T1071.004,T1046", "TA0007,TA0011"]


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.949, "0.94"), (0.95, "0.95"), (0.29, "0.29"), (1.0, "1.00"), (0.9999, "0.99")],
)
def test_score_text_is_never_that_of_a_higher_severity(score: float, text: str) -> None:
    assert score_text(score) == text


@given(TEXT, TEXT, TEXT)
def test_any_text_reads_back_from_its_own_column(message: str, source: str, name: str) -> None:
    row = _row(make_finding(message=message, source=source, evidence=(Evidence(name, 1),)))
    assert len(row) == 31
    assert unescape(row[11]) == message
    assert unescape(row[13]) == source
    assert unescape(row[30]) == f"{name} 1"
    assert "\n" not in "".join(row)


@given(ANY_TEXT)
def test_bytes_that_are_no_text_break_no_row(message: str) -> None:
    row = _row(make_finding(message=message))
    assert len("\t".join(row).encode().split(b"\t")) == 31
    assert row[12].startswith("T1046 ")


@given(ANY_TEXT)
def test_any_text_parses_back_from_json(message: str) -> None:
    (line,) = notice_lines([make_finding(message=message)], format="json", written=WRITTEN)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["msg"] == replace_undecodable(message)


def test_json_is_as_zeek_writes_it() -> None:
    finding = make_finding(evidence=(Evidence("failed hosts", 250),))
    strict = (
        '{"ts":1700000400.123456,"uid":"CHhAvVGS1DHFjwGM9","id.orig_h":"10.0.0.5",'
        '"id.orig_p":40000,"id.resp_h":"10.0.1.9","id.resp_p":22,"proto":"tcp",'
        '"note":"ZeekAnalyzer::Address_Scan",'
        '"msg":"10.0.0.5 tried 254 hosts on 22/tcp, 250 of them in vain",'
        '"sub":"T1046 Network Service Discovery | severity high, score 0.93 | id fd417669d8582230",'
        '"src":"10.0.0.5","p":22,"n":254,"actions":["Notice::ACTION_LOG"],"email_dest":[],'
        '"suppress_for":3600.0'
    )
    own = (
        ',"mitre_technique_id":["T1046"],"mitre_tactic_id":["TA0007"],"score":0.93,'
        '"severity":"high","evidence":"failed hosts 250"'
    )
    assert _text([finding], format="json", strict=True) == f"{strict}}}\n"
    assert _text([finding], format="json") == f"{strict}{own}}}\n"


def test_json_leaves_out_what_is_no_number() -> None:
    assert "ts" not in json.loads(_text([make_finding(last=float("nan"))], format="json"))


def test_rows_are_in_time_order_whatever_the_order_of_findings() -> None:
    findings = [
        make_finding(source="10.0.0.9", last=FIRST + 5),
        make_finding(source="10.0.0.10", last=FIRST + 5),
        make_finding(source="10.0.0.1", last=FIRST + 7),
        make_finding(source="10.0.0.2", last=FIRST + 5, note="ZeekAnalyzer::A"),
        make_finding(source="10.0.0.9", last=FIRST + 5, port=None),
    ]
    text = _text(findings)
    assert _text(findings[::-1]) == text
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert [(row[13], row[15]) for row in rows] == [
        ("10.0.0.2", "22"),
        ("10.0.0.10", "22"),
        ("10.0.0.9", "-"),
        ("10.0.0.9", "22"),
        ("10.0.0.1", "22"),
    ]


def test_repeats_are_suppressed_for_an_hour_from_the_one_logged() -> None:
    findings = [make_finding(last=FIRST + after) for after in (0, 1800, 3599.9, 3600, 7199, 7200)]
    kept = unsuppressed(findings)
    assert [finding.last - FIRST for finding in kept] == [0, 3600, 7200]
    other = [make_finding(note="ZeekAnalyzer::Other"), make_finding(port=23), make_finding()]
    assert len(unsuppressed([make_finding(), *other])) == 3


def test_of_repeats_at_one_time_the_loudest_is_logged() -> None:
    quiet, loud = make_finding(score=0.8), make_finding(score=0.9)
    assert unsuppressed([quiet, loud]) == unsuppressed([loud, quiet]) == (loud,)


def test_counts(tmp_path: Path) -> None:
    path = tmp_path / "out" / "notice.log"
    findings = [make_finding(), make_finding(), make_finding(port=23)]
    assert write_notices(iter(findings), path, written=WRITTEN) == Written(2, 1)
    assert path.read_text() == _text(findings)
    assert write_notices(findings, path, format="json", written=WRITTEN) == Written(2, 1)
    assert path.read_text() == _text(findings, format="json")


def test_nothing_found_is_a_header_or_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "notice.log"
    assert write_notices([], path, strict=True, written=WRITTEN) == Written(0, 0)
    assert path.read_bytes() == f"{STRICT_HEADER}\n{CLOSE}".encode()
    assert write_notices([], path, format="json", written=WRITTEN) == Written(0, 0)
    assert path.read_bytes() == b""


def test_a_directory_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_notices([], tmp_path, written=WRITTEN)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.filterwarnings("ignore")  # zat itself uses what pandas is about to drop
def test_zat_reads_the_same_values(
    tmp_path: Path,
    strict: bool,  # noqa: FBT001 - parametrized
) -> None:
    path = tmp_path / "notice.log"
    finding = make_finding(destination="10.0.1.9")
    findings = [finding, make_finding(source="10.0.0.6", last=FIRST + 500.5, best=None)]
    write_notices(findings, path, strict=strict, written=WRITTEN)

    first, second = ZeekLogReader(str(path), strict=True).readrows()
    assert len(first) == (26 if strict else 31)
    assert first["ts"] == datetime.fromtimestamp(finding.last)  # noqa: DTZ006 - zat's local times
    assert (first["uid"], first["id.orig_p"], first["id.resp_h"]) == (
        "CHhAvVGS1DHFjwGM9",
        40000,
        "10.0.1.9",
    )
    assert (first["note"], first["msg"]) == (finding.note, finding.message)
    assert (first["src"], first["dst"], first["p"], first["n"]) == ("10.0.0.5", "10.0.1.9", 22, 254)
    assert first["suppress_for"] == timedelta(hours=1)
    assert (second["src"], second["uid"], second["proto"]) == ("10.0.0.6", "-", "tcp")
    if not strict:
        assert (first["score"], first["severity"]) == (0.93, "high")

    frame = LogToDataFrame().create_dataframe(str(path))
    assert list(frame["src"]) == ["10.0.0.5", "10.0.0.6"]
    assert list(frame["n"]) == [254, 254]
    assert frame.index[1] == pd.Timestamp(FIRST + 500.5, unit="s")
    assert frame["id.orig_h"].isna().tolist() == [False, True]

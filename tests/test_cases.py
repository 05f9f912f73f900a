from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analyzer.case_rows import EPOCH
from analyzer.cases import LEARNED, Case, failures, learned_rows, parse_case, rows
from analyzer.errors import RuleError
from analyzer.findings import Finding, Severity
from analyzer.indicators import Indicator
from analyzer.mitre import TECHNIQUES
from analyzer.yaml_lines import Reading, read_yaml

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rule.yaml"


def parse(file: Path, text: str) -> Case:
    file.write_text(text, encoding="utf-8")
    reading = Reading(file)
    case = parse_case(read_yaml(reading), reading, "cases[0]")
    reading.finish()
    return case


FIRST = "name: x\nexpect: none\n"
PLACEHOLDERS = "{i}, {i+10}, {i%200+1}, {i//200}, {hex:32}, {base32:50} or {letters:12}"
STATES = "SF, S0, REJ, S1, S2, S3, RSTO, RSTR, RSTOS0, SH, RSTRH, SHR, OTH"


def row_of(more: str) -> str:
    return f"{FIRST}conn:\n- orig_h: 10.0.0.5\n  resp_h: 192.0.2.1\n  resp_p: 1\n  {more}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "1: cases[0] must be a mapping, found a list"),
        (
            "name: x\nexpct: none\nexpect: none\n",
            "2: cases[0] has an unknown key 'expct'; did you mean 'expect'?",
        ),
        ("expect: none\nconn: []\n", "1: cases[0] lacks the key 'name'"),
        (FIRST, "1: cases[0] has no rows, neither conn nor dns"),
        (f"{FIRST}conn: []\n", "1: cases[0] has no rows, neither conn nor dns"),
        (f"{FIRST}conn:\n- x\n", "4: cases[0].conn[0] must be a mapping, found the text 'x'"),
        (f"{FIRST}dns:\n- orig_h: 10.0.0.5\n", "4: cases[0].dns[0] lacks the column 'query'"),
        (
            row_of("orig_byte: 1"),
            (
                "7: cases[0].conn[0]: 'orig_byte' is not a column of conn that detectors read; "
                "did you mean 'orig_bytes'?"
            ),
        ),
        (
            row_of("id.proto: tcp"),
            (
                "7: cases[0].conn[0]: 'id.proto' is not a column of conn that detectors read; "
                "did you mean 'proto'?"
            ),
        ),
        (
            row_of("resp_pkt: 1"),
            (
                "7: cases[0].conn[0]: 'resp_pkt' is not a column of conn that detectors read; "
                "did you mean 'resp_pkts'?"
            ),
        ),
        (row_of("id.orig_h: 10.0.0.6"), "7: cases[0].conn[0] gives orig_h twice"),
        (
            row_of("count: 0"),
            "7: cases[0].conn[0].count must be an integer from 1 to 200000, found 0",
        ),
        (
            row_of("every: -1"),
            "7: cases[0].conn[0].every must be a time such as 90, 90s, 5m, 1h or 7d, found -1",
        ),
        (
            row_of("orig_p: 65536"),
            "7: cases[0]: orig_p must be an integer from 0 to 65535, found 65536",
        ),
        (
            row_of("orig_p: 1.5"),
            "7: cases[0]: orig_p must be an integer from 0 to 65535, found 1.5",
        ),
        (row_of("orig_bytes: -1"), "7: cases[0]: orig_bytes must be an integer from 0, found -1"),
        (
            row_of("orig_bytes: true"),
            "7: cases[0]: orig_bytes must be an integer from 0, found true",
        ),
        (
            row_of("orig_bytes: '5'"),
            "7: cases[0]: orig_bytes must be an integer from 0, found the text '5'",
        ),
        (
            row_of("orig_bytes: 'x{i}'"),
            "7: cases[0]: orig_bytes must be an integer from 0, found the text 'x0'",
        ),
        (
            row_of("duration: x"),
            "7: cases[0]: duration must be a number from 0, found the text 'x'",
        ),
        (row_of("ts: null"), "7: cases[0]: ts must be a number from 0, found nothing"),
        (row_of("service: 5"), "7: cases[0]: service must be text, found 5"),
        (row_of("local_orig: 1"), "7: cases[0]: local_orig must be true or false, found 1"),
        (
            row_of("conn_state: SO"),
            f"7: cases[0]: conn_state must be one of {STATES}, found the text 'SO'",
        ),
        (
            row_of("service: {i: 1}"),
            (
                "7: cases[0]: service must be text, found a mapping; "
                "text that begins with { needs quotes"
            ),
        ),
        (
            row_of("service: 'a{j}'"),
            f"7: cases[0]: 'a{{j}}' has a brace that is no placeholder ({PLACEHOLDERS})",
        ),
        (
            row_of("service: 'a{i*2}'"),
            f"7: cases[0]: 'a{{i*2}}' has a brace that is no placeholder ({PLACEHOLDERS})",
        ),
        (row_of("service: '{i%0}'"), "7: cases[0]: {i%0} divides by zero"),
        (
            (
                f"{FIRST}dns:\n- orig_h: 10.0.0.5\n  resp_h: '10.0.0.{{i}}'\n"
                "  query: x\n  count: 300\n"
            ),
            "5: cases[0]: resp_h must be an address, found the text '10.0.0.299'",
        ),
        (
            f"{FIRST}dns:\n- orig_h: 10.0.0.5\n  query: x\n  answers: 192.0.2.1\n",
            "6: cases[0]: answers must be a list, found the text '192.0.2.1'",
        ),
        (
            f"{FIRST}dns:\n- orig_h: 10.0.0.5\n  query: x\n  answers: [a,\n   1]\n",
            "7: cases[0]: answers must be text, found 1",
        ),
        (
            f"{FIRST}local_nets: [10.0.0.0/8,\n  10.0.0.1/8]\n",
            (
                "4: cases[0].local_nets must hold networks such as 10.0.0.0/8, "
                "found the text '10.0.0.1/8'"
            ),
        ),
        (
            "name: x\nexpect: nothing\n",
            (
                "2: cases[0].expect must be none, or a mapping or list of mappings "
                "that says what is expected"
            ),
        ),
        (
            "name: x\nexpect: []\n",
            (
                "2: cases[0].expect must be none, or a mapping or list of mappings "
                "that says what is expected"
            ),
        ),
        ("name: x\nexpect:\n- 5\n", "3: cases[0].expect[0] must be a mapping, found 5"),
        (
            "name: x\nexpect: {sorce: 10.0.0.1}\n",
            "2: cases[0].expect has an unknown key 'sorce'; did you mean 'source'?",
        ),
        (
            "name: x\nexpect: {source: host}\n",
            "2: cases[0].expect.source must be an address, found the text 'host'",
        ),
        (
            "name: x\nexpect: {port: 70000}\n",
            "2: cases[0].expect.port must be an integer from 0 to 65535, found 70000",
        ),
        (
            "name: x\nexpect: {severity: none}\n",
            (
                "2: cases[0].expect.severity must be one of low, medium, high, critical, "
                "found the text 'none'"
            ),
        ),
        (
            "name: x\nexpect: {technique: T1046.9}\n",
            "2: cases[0].expect.technique: unknown technique 'T1046.9'; did you mean 'T1046'?",
        ),
        (
            "name: x\nexpect: {count: 0}\n",
            "2: cases[0].expect.count must be an integer from 1 to 200000, found 0",
        ),
    ],
)
def test_wrong_case(file: Path, text: str, complaint: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(file, text)
    assert str(caught.value).splitlines()[0] == f"{file}:{complaint}"


def test_rows_are_limited(file: Path) -> None:
    template = "- {orig_h: 10.0.0.5, query: x, count: 100000}\n"
    parse(file, f"{FIRST}dns:\n{template}{template}")
    with pytest.raises(RuleError) as caught:
        parse(file, f"{FIRST}dns:\n{template}{template}- {{orig_h: 10.0.0.5, query: x}}\n")
    assert str(caught.value) == (
        f"{file}:1: cases[0] has 200,001 rows, more than the limit of 200,000"
    )


def test_value_that_goes_wrong_on_the_way(file: Path) -> None:
    case = parse(
        file,
        f"{FIRST}dns:\n- query: x\n  orig_h: '10.0.0.{{i%300}}'\n  count: 301\n",
    )
    with pytest.raises(RuleError) as caught:
        rows(case)
    assert str(caught.value) == (
        f"{file}:5: case 'x': orig_h must be an address, found the text '10.0.0.256'"
    )


def test_case_keeps_what_it_was_given(file: Path) -> None:
    case = parse(
        file,
        "\nname: x\nlocal_nets: [10.0.0.0/8, 'fd00::/8']\n"
        "expect:\n- {source: 10.0.0.5, severity: high}\n- {technique: T1046, port: 0, count: 2}\n"
        "dns:\n- {orig_h: 10.0.0.5, query: x}\n",
    )
    assert (case.name, case.line, case.file) == ("x", 2, file)
    assert case.local_nets == ("10.0.0.0/8", "fd00::/8")
    assert not case.benign
    assert [str(each) for each in case.expectations] == [
        "1 or more findings with source 10.0.0.5, severity at least high",
        "2 findings with port 0, technique T1046",
    ]


def finding(score: float = 0.92, rule: str = "scan", **more: Any) -> Finding:  # noqa: ANN401
    values: dict[str, Any] = {
        "rule": rule,
        "note": "ZeekAnalyzer::Scan",
        "source": "10.0.0.5",
        "first": EPOCH,
        "last": EPOCH,
        "score": score,
        "techniques": (TECHNIQUES["T1046"],),
        "message": "a scan",
    }
    return Finding(**(values | more))


def expecting(file: Path, expect: str) -> Case:
    text = f"name: x\nexpect: {expect}\ndns:\n- {{orig_h: 10.0.0.5, query: x}}\n"
    return parse(file, text)


def test_benign_case(file: Path) -> None:
    case = expecting(file, "none")
    assert case.benign
    assert failures(case, [], "scan") == []
    assert failures(case, [finding(0.69), finding(0.99, rule="other")], "scan") == []
    assert failures(case, [finding(0.7, destination="10.0.0.9", port=445)], "scan") == [
        "unexpected low finding on 10.0.0.5 to 10.0.0.9 port 445 (score 0.70, T1046)"
    ]


@pytest.mark.parametrize(
    ("expect", "score", "more"),
    [
        ("{source: 10.0.0.5}", 0.7, {}),
        ("{destination: 10.0.0.9}", 0.7, {"destination": "10.0.0.9"}),
        ("{port: 445}", 0.7, {"port": 445}),
        ("{severity: high}", 0.9, {}),
        ("{severity: medium}", 0.97, {}),
        ("{technique: T1046}", 0.7, {}),
        ("{count: 1}", 0.7, {}),
    ],
)
def test_met_expectation(file: Path, expect: str, score: float, more: dict[str, Any]) -> None:
    assert failures(expecting(file, expect), [finding(score, **more)], "scan") == []


@pytest.mark.parametrize(
    ("expect", "lacking"),
    [
        ("{source: 10.0.0.6}", "source 10.0.0.6"),
        ("{destination: 10.0.0.9}", "destination 10.0.0.9"),
        ("{port: 445}", "port 445"),
        ("{technique: T1018}", "technique T1018"),
    ],
)
def test_unmet_expectation_names_what_came_instead(file: Path, expect: str, lacking: str) -> None:
    found = "high finding on 10.0.0.5 (score 0.92, T1046)"
    assert failures(expecting(file, expect), [finding(port=80)], "scan") == [
        f"expected 1 or more findings with {lacking}, found 0; nearest is {described(80)}",
        f"unexpected {described(80)}",
    ]
    assert failures(expecting(file, expect), [finding(0.5), finding()], "scan") == [
        f"expected 1 or more findings with {lacking}, found 0; nearest is {found}",
        f"unexpected {found}",
    ]


def described(port: int) -> str:
    return f"high finding on 10.0.0.5 port {port} (score 0.92, T1046)"


def test_too_quiet_a_finding(file: Path) -> None:
    case = expecting(file, "{source: 10.0.0.5, severity: critical}")
    assert failures(case, [finding()], "scan") == [
        (
            "expected 1 or more findings with source 10.0.0.5, severity at least critical, "
            "found 0; "
            "nearest is high finding on 10.0.0.5 (score 0.92, T1046)"
        )
    ]
    assert failures(case, [], "scan") == [
        "expected 1 or more findings with source 10.0.0.5, severity at least critical, found 0"
    ]
    assert failures(expecting(file, "{source: 10.0.0.5}"), [finding(0.69)], "scan") == [
        (
            "expected 1 or more findings with source 10.0.0.5, found 0; "
            "nearest is none finding on 10.0.0.5 (score 0.69, T1046)"
        )
    ]


def test_number_of_findings(file: Path) -> None:
    case = expecting(file, "{source: 10.0.0.5, count: 2}")
    assert failures(case, [finding(port=1), finding(port=2), finding(0.1)], "scan") == []
    assert failures(case, [finding()], "scan") == [
        "expected 2 findings with source 10.0.0.5, found 1"
    ]
    assert failures(case, [finding()] * 3, "scan") == [
        "expected 2 findings with source 10.0.0.5, found 3"
    ]


def test_finding_that_no_expectation_concerns(file: Path) -> None:
    case = expecting(file, "[{source: 10.0.0.5}, {source: 10.0.0.6}]")
    both = [finding(), finding(source="10.0.0.6")]
    assert failures(case, both, "scan") == []
    assert failures(case, [*both, finding(0.8, source="10.0.0.7")], "scan") == [
        "unexpected medium finding on 10.0.0.7 (score 0.80, T1046)"
    ]


def test_severity_is_that_of_the_case(file: Path) -> None:
    (expectation,) = expecting(file, "{severity: critical}").expectations
    assert expectation.severity is Severity.CRITICAL


LISTED = "name: a\nexpect: none\ndns: [{orig_h: 10.0.0.5, query: a.example}]\nintelligence:\n"


def test_what_is_listed_meanwhile(file: Path) -> None:
    case = parse(
        file,
        LISTED
        + '- {indicator: Bad.example, indicator_type: "Intel::DOMAIN", meta.source: a feed}\n'
        + '- {indicator: 198.51.100.7, indicator_type: "Intel::ADDR"}\n',
    )
    assert case.indicators == (
        Indicator("address", "198.51.100.7"),
        Indicator("domain", "bad.example", ("a feed",)),
    )


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{indicator: a.example}", "lacks the key 'indicator_type'"),
        ('{indicator: x, indicator_type: "Intel::ADDR"}', "'x' is not an IPv4 or IPv6 address"),
        ('{indicator: x, indicator_type: "Intel::X"}', "type is none of Intel::ADDR"),
        ('{indicator: x, indicator_typ: "Intel::X"}', "unknown key 'indicator_typ'"),
    ],
)
def test_what_cannot_be_listed(file: Path, row: str, complaint: str) -> None:
    with pytest.raises(RuleError, match=complaint) as caught:
        parse(file, f"{LISTED}- {row}\n")
    assert f"{file}:5: " in str(caught.value)


def test_what_is_learned_first_has_an_epoch_of_its_own(file: Path) -> None:
    text = (
        "name: a\nexpect: none\nconn: [{orig_h: 10.0.0.5, resp_h: 10.0.0.9, resp_p: 22}]\n"
        "learned:\n  conn: [{orig_h: 10.0.0.6, resp_h: 10.0.0.9, resp_p: 80, start: 3600}]\n"
        "  dns: [{orig_h: 10.0.0.6, query: www.example.org}]\n"
    )
    case = parse(file, text)
    learned = learned_rows(case)
    assert [(row["orig_h"], row["ts"]) for row in learned["conn"]] == [("10.0.0.6", LEARNED + 3600)]
    assert [row["query"] for row in learned["dns"]] == ["www.example.org"]
    assert [row["orig_h"] for row in rows(case)["conn"]] == ["10.0.0.5"]
    # Weekdays and hours are those of the case itself.
    assert (EPOCH - LEARNED) % (7 * 86400) == 0

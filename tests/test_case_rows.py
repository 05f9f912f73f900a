"""Row templates become the rows they describe, always the same ones."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from analyzer import records
from analyzer.case_rows import EPOCH
from analyzer.cases import Case, parse_case, rows
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


def made(file: Path, log: str, template: str, name: str = "a case") -> list[dict[str, Any]]:
    case = parse(file, f"name: {name}\nexpect: none\n{log}:\n- {template}\n")
    return rows(case)[log]


def conn(file: Path, more: str = "", name: str = "a case") -> list[dict[str, Any]]:
    template = f"{{orig_h: 10.0.0.5, resp_h: 192.0.2.1, resp_p: 443{more}}}"
    return made(file, "conn", template, name)


def test_every_column_of_an_ordinary_connection(file: Path) -> None:
    (row,) = conn(file)
    uid = row.pop("uid")
    assert re.fullmatch(r"C[0-9A-Za-z]{17}", uid)
    assert row == {
        "ts": EPOCH,
        "orig_h": "10.0.0.5",
        "orig_p": 49152,
        "resp_h": "192.0.2.1",
        "resp_p": 443,
        "proto": "tcp",
        "service": None,
        "duration": 0.5,
        "orig_bytes": 500,
        "resp_bytes": 2000,
        "conn_state": "SF",
        "local_orig": None,
        "local_resp": None,
        "history": "ShADadFf",
        "orig_pkts": 6,
        "resp_pkts": 8,
        "ip_proto": None,
    }
    assert {*row, "uid"} == set(records.DETECTION_COLUMNS["conn"])


def test_every_column_of_an_ordinary_query(file: Path) -> None:
    (row,) = made(file, "dns", "{orig_h: 10.0.0.5, query: www.example.org}")
    row.pop("uid")
    assert row == {
        "ts": EPOCH,
        "orig_h": "10.0.0.5",
        "orig_p": 49152,
        "resp_h": "10.0.0.53",
        "resp_p": 53,
        "proto": "udp",
        "query": "www.example.org",
        "qtype_name": "A",
        "rcode_name": "NOERROR",
        "answers": None,
    }
    assert {*row, "uid"} == set(records.DETECTION_COLUMNS["dns"])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            ", conn_state: S0",
            {
                "history": "S",
                "orig_bytes": None,
                "resp_bytes": None,
                "resp_pkts": 0,
                "duration": None,
            },
        ),
        (
            ", conn_state: REJ",
            {"history": "Sr", "orig_bytes": 0, "resp_bytes": 0, "resp_pkts": 1},
        ),
        (", proto: udp", {"history": "Dd", "conn_state": "SF", "orig_bytes": 500}),
        (", proto: udp, conn_state: S0", {"history": "D", "resp_pkts": 0, "resp_bytes": None}),
        (", conn_state: S0, orig_bytes: 7", {"orig_bytes": 7, "history": "S"}),
        (", conn_state: RSTO, history: ShR", {"history": "ShR", "resp_pkts": 8}),
        (", conn_state: null", {"conn_state": None, "history": None}),
        (", local_orig: true", {"local_orig": True, "local_resp": None}),
        (", ts: 12.5", {"ts": 12.5}),
        (", duration: 3", {"duration": 3.0}),
    ],
)
def test_defaults_follow_what_is_given(file: Path, more: str, expected: dict[str, object]) -> None:
    (row,) = conn(file, more)
    assert {key: row[key] for key in expected} == expected
    assert isinstance(row["duration"], float | None)


def test_zeek_spelling_of_a_column(file: Path) -> None:
    (row,) = made(file, "conn", "{id.orig_h: 10.0.0.5, id.resp_h: '2001:db8::1', id.resp_p: 22}")
    assert (row["orig_h"], row["resp_h"], row["resp_p"]) == ("10.0.0.5", "2001:db8::1", 22)


def test_repeats_are_spaced(file: Path) -> None:
    times = [row["ts"] - EPOCH for row in conn(file, ", count: 4, every: 5m, start: 1h")]
    assert times == [3600.0, 3900.0, 4200.0, 4500.0]
    assert [row["ts"] - EPOCH for row in conn(file, ", count: 2")] == [0.0, 1.0]


def test_jitter_moves_rows_by_at_most_half_its_width_and_always_alike(file: Path) -> None:
    first = conn(file, ", count: 200, every: 60, jitter: 12")
    moved = [row["ts"] - EPOCH - 60 * i for i, row in enumerate(first)]
    assert all(-6 <= each <= 6 for each in moved)
    assert min(moved) < -4
    assert max(moved) > 4
    assert conn(file, ", count: 200, every: 60, jitter: 12") == first


def test_uids_and_ports_differ_between_rows(file: Path) -> None:
    template = "{orig_h: 10.0.0.5, resp_h: 192.0.2.1, resp_p: 443, count: 500}"
    case = parse(file, f"name: x\nexpect: none\nconn:\n- {template}\n- {template}\n")
    every = rows(case)["conn"]
    assert len({row["uid"] for row in every}) == 1000
    assert len({row["orig_p"] for row in every[:500]}) == 500
    assert all(49152 <= row["orig_p"] <= 65535 for row in every)
    assert rows(case)["conn"] == every


def test_counters_expand(file: Path) -> None:
    made = conn(file, ", count: 502, service: 'a{i}-{i+10}-{i%200}-{i//200}'")
    assert made[0]["service"] == "a0-10-0-0"
    assert made[501]["service"] == "a501-511-101-2"


def test_sweep_of_addresses_and_ports(file: Path) -> None:
    swept = made(
        file,
        "conn",
        "{orig_h: 10.0.0.5, resp_h: '10.0.{i//250}.{i%250}', resp_p: '{i+1}', "
        "duration: '0.{i+1}', orig_bytes: '{i%7}', count: 600}",
    )
    assert len({ipaddress.ip_address(row["resp_h"]) for row in swept}) == 600
    assert [row["resp_p"] for row in swept] == list(range(1, 601))
    assert [swept[24]["duration"], swept[24]["orig_bytes"]] == [0.25, 3]
    assert all(type(row["resp_p"]) is int for row in swept)


def test_random_characters_expand(file: Path) -> None:
    template = "{orig_h: 10.0.0.5, query: '{hex:32}.{base32:50}.{letters:12}.t', count: 200}"
    queries = [row["query"] for row in made(file, "dns", template)]
    for query in queries:
        assert re.fullmatch(r"[0-9a-f]{32}\.[a-z2-7]{50}\.[a-z]{12}\.t", query)
    assert len(set(queries)) == 200
    letters = Counter("".join(query.split(".")[2] for query in queries))
    assert len(letters) == 26
    assert max(letters.values()) < 2 * min(letters.values())
    assert [row["query"] for row in made(file, "dns", template)] == queries
    assert made(file, "dns", template, "another case")[0]["query"] != queries[0]


def test_two_placeholders_show_different_characters(file: Path) -> None:
    template = "{orig_h: 10.0.0.5, query: '{hex:32}.{hex:32}', answers: ['{hex:32}', '{hex:32}']}"
    (row,) = made(file, "dns", template)
    assert len({*row["query"].split("."), *row["answers"]}) == 4


def test_random_characters_stay_the_same_from_release_to_release(file: Path) -> None:
    (row,) = made(file, "dns", "{orig_h: 10.0.0.5, query: '{hex:16}.{base32:10}.{letters:8}'}")
    assert (row["uid"], row["query"]) == (
        "CfT2zVdZE2SJjEaOH5",
        "235017bc09ee701d.4n4e54nkas.tzcygzqe",
    )

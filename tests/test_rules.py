from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import Location, OptionError, RuleError
from analyzer.findings import Severity
from analyzer.mitre import TECHNIQUES
from analyzer.parameters import Seconds
from analyzer.rules import Rule, load_rule, load_rules, select, shipped_rules

if TYPE_CHECKING:
    from collections.abc import Callable


Span = Seconds


@dataclass(frozen=True, slots=True)
class ScanParameters:
    hosts: int = 25
    window: Span = 3600.0


@dataclass(frozen=True, slots=True)
class TunnelParameters:
    window: Span
    method: Literal["mean", "median"] = "mean"


DETECTORS: dict[str, type] = {"scan": ScanParameters, "tunnel": TunnelParameters}

RULE = """\
title: Address scan
id: address_scan
status: stable
description: One host tries many others.
references:
  - https://attack.mitre.org/techniques/T1046/
author: A. Author
date: 2025-01-31
tags:
  - attack.discovery
  - attack.t1046
  - attack.t1595.001
falsepositives:
  - Inventory scanners
level: high
detector: scan
notice: ZeekAnalyzer::Address_Scan
params:
  hosts: 30
  window: 2h
cases:
  - name: one host sweeps a network
    expect: {source: 10.0.0.5, technique: T1046}
    conn:
      - {orig_h: 10.0.0.5, resp_h: '10.0.1.{i}', resp_p: 445, conn_state: S0, count: 100}
  - name: a client and its server
    expect: none
    conn:
      - {orig_h: 10.0.0.6, resp_h: 10.0.0.7, resp_p: 445, count: 100}
"""


def write(folder: Path, text: str = RULE, name: str = "address_scan.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def changed(old: str, new: str) -> str:
    assert RULE.count(old) == 1
    return RULE.replace(old, new)


def named(identifier: str) -> str:
    return changed("id: address_scan", f"id: {identifier}")


def complaints(file: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load_rule(file, detectors=DETECTORS)
    assert caught.value.location is not None
    return str(caught.value).replace(f"{file}:", "").splitlines()


def test_rule(tmp_path: Path) -> None:
    file = write(tmp_path)
    rule = load_rule(file, detectors=DETECTORS)
    cases = rule.cases
    assert rule == Rule(
        id="address_scan",
        title="Address scan",
        status="stable",
        description="One host tries many others.",
        references=("https://attack.mitre.org/techniques/T1046/",),
        author="A. Author",
        date=dt.date(2025, 1, 31),
        modified=None,
        techniques=(TECHNIQUES["T1046"], TECHNIQUES["T1595.001"]),
        falsepositives=("Inventory scanners",),
        level=Severity.HIGH,
        detector="scan",
        notice="ZeekAnalyzer::Address_Scan",
        parameters=ScanParameters(hosts=30, window=7200.0),
        cases=cases,
        file=file,
    )
    assert [(case.name, case.benign, case.line) for case in cases] == [
        ("one host sweeps a network", False, 22),
        ("a client and its server", True, 26),
    ]


def test_optional_keys(tmp_path: Path) -> None:
    text = changed("params:\n  hosts: 30\n  window: 2h\n", "modified: 2025-02-28\n")
    rule = load_rule(write(tmp_path, text), detectors=DETECTORS)
    assert rule.parameters == ScanParameters()
    assert rule.modified == dt.date(2025, 2, 28)


KEYS = [line.partition(":")[0] for line in RULE.splitlines() if not line.startswith((" ", "-"))]


@pytest.mark.parametrize("key", [key for key in KEYS if key != "params"])
def test_missing_key(tmp_path: Path, key: str) -> None:
    kept = {name: value for name, value in yaml.safe_load(RULE).items() if name != key}
    file = write(
        tmp_path, yaml.safe_dump(kept, sort_keys=False).replace("'2025-01-31'", "2025-01-31")
    )
    assert complaints(file) == [f"1: the rule lacks the key {key!r}"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: Address scan", "title: 5", "1: title must be text, found 5"),
        ("title: Address scan", "title: ''", "1: title must be text, found the text ''"),
        (
            "id: address_scan",
            "id: A-Scan",
            "2: id must be lower case words joined by _, such as address_scan, found 'A-Scan'",
        ),
        (
            "id: address_scan",
            "id: port_scan",
            "2: id 'port_scan' is not the file's name 'address_scan'",
        ),
        (
            "status: stable",
            "status: stabel",
            (
                "3: status must be one of stable, test, experimental, found the text 'stabel'; "
                "did you mean 'stable'?"
            ),
        ),
        (
            "description: One host tries many others.",
            "description: [x]",
            "4: description must be text, found a list",
        ),
        (
            "  - https://attack.mitre.org/techniques/T1046/",
            "  - 7",
            "6: references[0] must be text, found 7",
        ),
        (
            "date: 2025-01-31",
            "date: 2025-02-30",
            "8: date must be a date such as 2025-01-31, found the text '2025-02-30'",
        ),
        (
            "date: 2025-01-31",
            "date: 20250131",
            "8: date must be a date such as 2025-01-31, found 20250131",
        ),
        (
            "date: 2025-01-31",
            "date: 31/01/2025",
            "8: date must be a date such as 2025-01-31, found the text '31/01/2025'",
        ),
        (
            "date: 2025-01-31",
            "date: 2025-01-31\nmodified: soon",
            "9: modified must be a date such as 2025-01-31, found the text 'soon'",
        ),
        ("attack.t1046", "attack.t9999", "11: unknown tag 'attack.t9999'"),
        (
            "attack.t1046",
            "attack.t1046.001",
            "11: unknown tag 'attack.t1046.001'; did you mean 'attack.t1046'?",
        ),
        ("attack.t1046", "cve.2021-44228", "11: unknown tag 'cve.2021-44228'"),
        (
            "attack.t1046",
            "attack.T1046",
            "11: unknown tag 'attack.T1046'; did you mean 'attack.t1046'?",
        ),
        (
            "attack.discovery",
            "attack.discvery",
            "10: unknown tag 'attack.discvery'; did you mean 'attack.discovery'?",
        ),
        (
            "  - attack.t1046\n  - attack.t1595.001\n",
            "",
            "10: tags must name a technique, such as attack.t1046",
        ),
        (
            "falsepositives:\n  - Inventory scanners",
            "falsepositives: none",
            "13: falsepositives must be a list, found the text 'none'",
        ),
        (
            "level: high",
            "level: informational",
            "15: level must be one of low, medium, high, critical, found the text 'informational'",
        ),
        (
            "detector: scan",
            "detector: scn",
            "16: detector must be one of scan, tunnel, found the text 'scn'; did you mean 'scan'?",
        ),
        ("detector: scan", "detector: 1", "16: detector must be one of scan, tunnel, found 1"),
        (
            "ZeekAnalyzer::Address_Scan",
            "Address_Scan",
            "17: notice must be like ZeekAnalyzer::Address_Scan, found 'Address_Scan'",
        ),
        (
            "ZeekAnalyzer::Address_Scan",
            "ZeekAnalyzer::a_Scan",
            "17: notice must be like ZeekAnalyzer::Address_Scan, found 'ZeekAnalyzer::a_Scan'",
        ),
        ("hosts: 30", "hosts: many", "19: params.hosts must be an integer, found the text 'many'"),
        ("hosts: 30", "host: 30", "19: params has an unknown key 'host'; did you mean 'hosts'?"),
        (
            "window: 2h",
            "window: -2h",
            "20: params.window must be a time such as 90, 90s, 5m, 1h or 7d, found the text '-2h'",
        ),
        (
            "expect: none",
            "expect: {port: 445}",
            "22: cases has no benign case, one with expect: none",
        ),
        (
            "expect: {source: 10.0.0.5, technique: T1046}",
            "expect: none",
            "22: cases has no positive case, one that expects a finding",
        ),
        (
            "name: a client and its server",
            "name: one host sweeps a network",
            "26: duplicate case 'one host sweeps a network', first on line 22",
        ),
        ("level: high", "level: high\nlevel: low", "16: duplicate key 'level', first on line 15"),
        (
            "author: A. Author",
            "athor: A. Author",
            "7: the rule has an unknown key 'athor'; did you mean 'author'?",
        ),
        (
            "resp_h: '10.0.1.{i}'",
            "resp_h: 10.0.1.x",
            "25: cases[0]: resp_h must be an address, found the text '10.0.1.x'",
        ),
        (
            "title: Address scan",
            "title: [",
            (
                "3: is not valid YAML: expected ',' or ']', but got ':' "
                "(while parsing a flow sequence from line 1)"
            ),
        ),
    ],
)
def test_wrong_rule(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = complaints(write(tmp_path, changed(old, new)))
    assert found[0] == expected
    assert len(found) == (2 if "'athor'" in expected else 1)


def test_parameter_without_default_is_needed_even_without_params(tmp_path: Path) -> None:
    text = changed("detector: scan", "detector: tunnel")
    text = text.replace("params:\n  hosts: 30\n  window: 2h\n", "")
    assert complaints(write(tmp_path, text)) == ["1: params lacks the key 'window'"]


def test_all_complaints_of_a_file_come_together(tmp_path: Path) -> None:
    text = changed("level: high", "level: hihg").replace("hosts: 30", "hosts: x")
    assert complaints(write(tmp_path, text.replace("status: stable\n", ""))) == [
        "1: the rule lacks the key 'status'",
        (
            "14: level must be one of low, medium, high, critical, found the text 'hihg'; "
            "did you mean 'high'?"
        ),
        "18: params.hosts must be an integer, found the text 'x'",
    ]


def test_no_mapping_at_all(tmp_path: Path) -> None:
    assert complaints(write(tmp_path, "- a\n")) == ["1: a rule must be a mapping, found a list"]


def test_directory_is_sorted_by_id_and_not_searched_below(tmp_path: Path) -> None:
    write(tmp_path, named("b"), "b.yaml")
    write(tmp_path, named("a_2"), "a_2.yml")
    write(tmp_path, named("a"), "a.yaml")
    write(tmp_path, "nonsense: [", "notes.txt")
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", "nonsense: [", "c.yaml")
    assert [rule.id for rule in load_rules(tmp_path, detectors=DETECTORS)] == ["a", "a_2", "b"]


def test_complaints_of_a_directory_come_together(tmp_path: Path) -> None:
    write(tmp_path, named("a").replace("level: high", "level: 1"), "a.yaml")
    write(tmp_path, named("b"), "b.yaml")
    write(tmp_path, named("c").replace("detector: scan", "detector: xyz"), "c.yaml")
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path, detectors=DETECTORS)
    assert caught.value.location == Location(str(tmp_path / "a.yaml"), 15)
    assert str(caught.value).splitlines() == [
        f"{tmp_path}/a.yaml:15: level must be one of low, medium, high, critical, found 1",
        f"{tmp_path}/c.yaml:16: detector must be one of scan, tunnel, found the text 'xyz'",
    ]


def test_duplicate_id(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, name="address_scan.yml")
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path, detectors=DETECTORS)
    assert str(caught.value) == (
        f"{tmp_path}/address_scan.yml:2: duplicate id 'address_scan', "
        f"also in {tmp_path}/address_scan.yaml"
    )


def test_directory_without_rules(tmp_path: Path) -> None:
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path, detectors=DETECTORS)
    assert str(caught.value) == f"{tmp_path}: holds no rules (*.yaml, *.yml)"
    with pytest.raises(RuleError) as caught:
        load_rules(tmp_path / "gone", detectors=DETECTORS)
    assert str(caught.value) == (
        f"{tmp_path / 'gone'}: rules cannot be read from here: No such file or directory"
    )


@pytest.fixture
def rules(tmp_path: Path) -> tuple[Rule, ...]:
    for name in ("address_scan", "dns_tunnel", "port_scan"):
        write(tmp_path, named(name), f"{name}.yaml")
    return load_rules(tmp_path, detectors=DETECTORS)


@pytest.mark.parametrize(
    ("wanted", "unwanted", "chosen"),
    [
        ([], [], ["address_scan", "dns_tunnel", "port_scan"]),
        (["port_scan", "address_scan"], [], ["address_scan", "port_scan"]),
        (["*_scan"], [], ["address_scan", "port_scan"]),
        (["*_scan"], ["port_*"], ["address_scan"]),
        ([], ["*_scan"], ["dns_tunnel"]),
    ],
)
def test_select(
    rules: tuple[Rule, ...], wanted: list[str], unwanted: list[str], chosen: list[str]
) -> None:
    assert [rule.id for rule in select(rules, wanted, unwanted)] == chosen


@pytest.mark.parametrize(
    ("wanted", "unwanted", "message"),
    [
        (["prot_scan"], [], "no rule is called 'prot_scan'; did you mean 'port_scan'?"),
        ([], ["zzz"], "no rule is called 'zzz'"),
        (
            ["port_scan", "Address_*"],
            [],
            "no rule is called 'Address_*'; did you mean 'address_scan'?",
        ),
        (["port_scan"], ["port_scan"], "no rule is left: every one that is selected is ignored"),
    ],
)
def test_select_refuses(
    rules: tuple[Rule, ...], wanted: list[str], unwanted: list[str], message: str
) -> None:
    with pytest.raises(OptionError) as caught:
        select(rules, wanted, unwanted)
    assert str(caught.value) == message


def installation(folder: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """A copy of what rules need of the package, and a way to ask it for its shipped rules."""
    package = Path(shipped_rules.__code__.co_filename).parent
    copy = folder / "analyzer"
    copy.mkdir()
    (copy / "__init__.py").touch()
    for name in (
        "errors",
        "findings",
        "indicators",
        "records",
        "mitre",
        "yaml_lines",
        "parameters",
        "case_rows",
        "cases",
        "rules",
    ):
        shutil.copy(package / f"{name}.py", copy)
    path = os.pathsep.join([str(folder), str(Path(yaml.__file__).parent.parent)])
    program = "from analyzer import rules; print(rules.shipped_rules())"

    def ask() -> subprocess.CompletedProcess[str]:
        # -S: no .pth file may lead to an editable installation of the package under test.
        return subprocess.run(  # noqa: S603
            [sys.executable, "-S", "-c", program],
            env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    return ask


def test_shipped_rules_of_an_installation_and_of_a_checkout(tmp_path: Path) -> None:
    ask = installation(tmp_path)

    neither = ask()
    assert neither.returncode == 1
    assert neither.stderr.splitlines()[-1] == (
        f"analyzer.errors.RuleError: {tmp_path / 'rules'}: the rules that ship with the analyzer "
        "are not here; reinstall it or give --rules"
    )

    checkout = tmp_path / "rules"
    checkout.mkdir()
    write(checkout)
    assert ask().stdout == f"{checkout}\n"

    installed = tmp_path / "analyzer" / "shipped_rules"
    installed.mkdir()
    write(installed)
    assert ask().stdout == f"{installed}\n"


def load(folder: Path, data: bytes) -> None:
    file = folder / "address_scan.yaml"
    file.write_bytes(data)
    try:
        rule = load_rule(file, detectors=DETECTORS)
    except RuleError as error:
        place = error.location
        assert str(error).startswith(f"{file}:")  # noqa: PT017
        assert place is not None
    else:
        assert isinstance(rule, Rule)


@settings(deadline=None)  # a busy machine is no failure
@given(
    start=st.integers(0, len(RULE)),
    length=st.integers(0, 40),
    between=st.binary(max_size=6)
    | st.sampled_from([b"\n", b": ", b"- ", b"{", b"'", b"*a", b"&a "]),
)
def test_no_damaged_file_gives_anything_but_a_rule_or_a_rule_error(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int, between: bytes
) -> None:
    data = RULE.encode()
    load(tmp_path_factory.getbasetemp(), data[:start] + between + data[start + length :])


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
values = st.recursive(
    scalars | st.sampled_from(["none", "5m", "{i}", "T1046", "{hex:8}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYS, "name", "expect", "conn", "dns", "orig_h"]), inner
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    if not isinstance(value, dict | list):
        return [path]
    children = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(deep for key, child in children for deep in places(child, (*path, key)))]


TREE = yaml.safe_load(changed("date: 2025-01-31", "date: '2025-01-31'"))
PLACES = [path for path in places(TREE) if path]


@settings(deadline=None)
@given(path=st.sampled_from(PLACES), value=values)
def test_no_exchanged_value_gives_anything_but_a_rule_or_a_rule_error(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], value: object
) -> None:
    tree = yaml.safe_load(yaml.safe_dump(TREE))
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with contextlib.suppress(UnicodeEncodeError):
        load(tmp_path_factory.getbasetemp(), yaml.safe_dump(tree, allow_unicode=True).encode())

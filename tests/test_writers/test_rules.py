"""Rules as a person reads them, character by character."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from analyzer.cases import Case, Expectation
from analyzer.findings import Severity
from analyzer.mitre import technique
from analyzer.rules import Rule
from analyzer.writers.rules import render_check, render_list, render_page


@dataclass(frozen=True)
class Parameters:
    hosts: int = field(default=25, metadata={"meaning": "how many hosts are too many"})


def _rule(**changes: Any) -> Rule:  # noqa: ANN401 - the attributes of a rule
    file = Path("address_scan.yaml")
    found = Case(
        name="a sweep",
        expectations=(Expectation(),),
        local_nets=(),
        templates=(),
        file=file,
        line=20,
    )
    silent = replace(found, name="a client", expectations=(), line=24)
    rule = Rule(
        id="address_scan",
        title="Address scan",
        status="stable",
        description="One host tries many others. Most of them do not answer.\nIt is in a hurry.",
        references=("https://www.example.org/" + "long" * 20,),
        author="A. Author",
        date=dt.date(2025, 1, 31),
        modified=None,
        techniques=(technique("T1046"), technique("T1018")),
        falsepositives=("Inventory scanners",),
        level=Severity.HIGH,
        detector="scan",
        notice="ZeekAnalyzer::Address_Scan",
        parameters=Parameters(30),
        cases=(found, silent),
        file=file,
    )
    return replace(rule, **changes)


def _printed(render: Callable[[Console], None], width: int = 80) -> str:
    stream = io.StringIO()
    render(Console(file=stream, width=width))
    return stream.getvalue()


def test_list() -> None:
    rules = [_rule(), _rule(id="beacon", level=Severity.LOW, techniques=(technique("T1071"),))]
    assert _printed(lambda console: render_list(rules, console)) == (
        "Rule          Level  Techniques    Finds\n"
        "address_scan  high   T1046, T1018  Address scan\n"
        "beacon        low    T1071         Address scan\n"
    )


def test_page() -> None:
    assert _printed(lambda console: render_page(_rule(), console)) == (
        "address_scan: Address scan\n"
        "  One host tries many others. Most of them do not answer.\n"
        "  It is in a hurry.\n"
        "\n"
        "  Notice       ZeekAnalyzer::Address_Scan\n"
        "  Level        at most high\n"
        "  Status       stable, 2025-01-31, A. Author\n"
        "  ATT&CK 17.1  T1046 Network Service Discovery (Discovery)\n"
        "               T1018 Remote System Discovery (Discovery)\n"
        "  Detector     scan\n"
        "\n"
        "  Parameter  Value  Default  Meaning\n"
        "  hosts      30     25       how many hosts are too many\n"
        "\n"
        "  False positives\n"
        "    - Inventory scanners\n"
        "  Sources\n"
        f"    - https://www.example.org/{'long' * 20}\n"
        "  Cases\n"
        "    - a sweep (must be found)\n"
        "    - a client (must stay silent)\n"
    )


@dataclass(frozen=True)
class Zones:
    zones: tuple[str, ...] = field(default=("one.example",), metadata={"meaning": "zones"})


def test_a_long_value_stands_below_the_others() -> None:
    rule = _rule(parameters=Zones(("one.example", "two.example", "three.example")))
    assert (
        "  Parameter  Value    Default        Meaning\n"
        "  zones      (below)  [one.example]  zones\n"
        "  zones: one.example, two.example, three.example\n"
        "\n"
    ) in _printed(lambda console: render_page(rule, console))


def test_control_characters_of_a_rule_do_not_reach_the_terminal() -> None:
    hostile = "\x1b[2J\x07"
    rule = _rule(
        title=hostile, description=hostile, falsepositives=(hostile,), references=(hostile,)
    )
    for text in (
        _printed(lambda console: render_page(rule, console)),
        _printed(lambda console: render_list([rule], console)),
        _printed(lambda console: render_check(rule, [hostile], console)),
    ):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
        assert "\\x1b[2J\\x07" in text


def test_check() -> None:
    assert _printed(lambda console: render_check(_rule(), [], console)) == (
        "address_scan: 2 cases, ok\n"
    )
    wrong = [f"address_scan.yaml:20: a sweep: {'not found ' * 10}"]
    assert _printed(lambda console: render_check(_rule(), wrong, console), width=40) == (
        f"address_scan: 2 cases, FAILED\n  {wrong[0].rstrip()} \n"
    )

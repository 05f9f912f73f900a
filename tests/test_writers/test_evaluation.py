"""An evaluation at a terminal, character by character."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from analyzer.findings import Severity
from analyzer.proposals import Proposal
from analyzer.quality import Attack, Confusion, Quality
from analyzer.report import Report
from analyzer.writers.evaluation import render_evaluation
from tests.test_quality import QUALITY

from . import make_finding

REPORT = Report(
    all_findings=(make_finding(), make_finding(score=0.75)),
    minimum=Severity.MEDIUM,
    records={"conn": 110, "dns": 0},
)
PROPOSAL = Proposal("address_scan", 4, words=("now, from 0.700: 3 of 4 true", "best F1 ..."))


def shown(
    quality: Quality | None, *proposals: Proposal, verbose: bool = False, width: int = 80
) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    render_evaluation(REPORT, quality, proposals, None, console, verbose=verbose)
    return stream.getvalue()


EVERYTHING = """\
Evaluated 1 finding at medium or above, of 110 conn, 0 dns records
Connections: 50 attack, 50 benign, 7 labelled as unknown, 3 without a label

All rules together
  Unit            attacks found   rate  false alarms   rate  precision     F1
  connection           30 of 50  60.0%      10 of 50  20.0%      75.0%  66.7%
  host and day           1 of 2  50.0%        0 of 4   0.0%     100.0%  66.7%
  attack (label)         1 of 2  50.0%
  Reported, but nobody knows: 2 connections.

By rule, over connections (host days where a rule judges findings)
  Rule              findings  found   rate  false   rate  precision     F1
  address_scan             4     30  60.0%     10  20.0%      75.0%  66.7%
  compromised_host         1      1  50.0%      0   0.0%     100.0%  66.7%

Attacks by label
  Label  detected  connections  of  sources  of  missed
  CC        75.0%           30  40        1   2  C1
  DDoS       0.0%            0  10        0   1  C2, C3

Missed, by host
  Host      connections  Label  uids
  10.0.0.5           10  CC     C1
  10.0.0.6           10  DDoS   C2, C3

Benign connections that are reported
  Rule          connections  sources  Label
  address_scan           10        1  Dropbox

Thresholds to try, from precision and recall over findings; nothing was changed
  address_scan, 4 findings
    now, from 0.700: 3 of 4 true
    best F1 ...
"""


def test_everything() -> None:
    assert shown(QUALITY, PROPOSAL) == EVERYTHING


def test_only_proposals_without_labels() -> None:
    assert shown(None, PROPOSAL) == (
        "Evaluated 1 finding at medium or above, of 110 conn, 0 dns records\n"
        "\n"
        "Thresholds to try, from the tail of the findings; nothing was changed\n"
        "  address_scan, 4 findings\n"
        "    now, from 0.700: 3 of 4 true\n"
        "    best F1 ...\n"
    )


def test_nearly_all_and_hardly_any_do_not_look_like_all_and_nothing() -> None:
    text = shown(replace(QUALITY, connections=Confusion(99_999, 1, 1, 99_999)))
    (line,) = [line for line in text.splitlines() if line.startswith("  connection ")]
    assert line == ("  connection      99,999 of 100,000  >99.9%  1 of 100,000  <0.1%     >99.9%")


def test_lists_are_cut_unless_verbose() -> None:
    attacks = tuple(Attack(f"A{k}", 1, 0, 1, 0, 0.0, 0.0, ()) for k in range(30))
    assert "Not shown: 10 more labels; -v shows all." in shown(replace(QUALITY, attacks=attacks))
    assert "Not shown" not in shown(replace(QUALITY, attacks=attacks), verbose=True)


def test_labels_cannot_act_on_the_terminal() -> None:
    attack = replace(QUALITY.attacks[0], label="\x1b[2J[red]", missed_uids=("\x07",))
    text = shown(replace(QUALITY, attacks=(attack,)))
    assert "\\x1b[2J[red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text

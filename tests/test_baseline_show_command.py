"""``baseline show`` and ``baseline compare``: what they print, and with which status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_cli import Run, run
from tests.test_comparing import HOST, baseline, log

__all__ = ["baseline", "log", "run"]  # the fixtures


def test_show(run: Run, baseline: Path) -> None:
    said = run("baseline", "show", baseline)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Baseline ")
    assert "Holds 3 days (2026-01-16 to 2026-01-18)" in said.out
    assert "Hosts, top talkers first" in said.out


def test_show_a_host(run: Run, baseline: Path) -> None:
    said = run("baseline", "show", baseline, "--host", HOST, "-v")
    assert (said.status, said.err) == (0, "")
    assert f"Host {HOST}\n" in said.out


def test_show_json(run: Run, baseline: Path) -> None:
    said = run("baseline", "show", baseline, "--json")
    assert (said.status, said.err) == (0, "")
    plain = json.loads(said.out)
    assert list(plain["hosts"]) == [HOST]
    assert plain["state"]["days"] == 3
    one = json.loads(run("baseline", "show", baseline, "--json", "--host", HOST).out)
    assert one["hosts"] == plain["hosts"]


def test_compare(run: Run, baseline: Path, log: Path) -> None:
    content, changed = baseline.read_bytes(), baseline.stat().st_mtime_ns
    said = run("baseline", "compare", baseline, log)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Compared 2026-01-19 with 3 days (2026-01-16 to 2026-01-18)")
    assert f"\n{HOST} (device): " in said.out
    assert (baseline.read_bytes(), baseline.stat().st_mtime_ns) == (content, changed)


def test_compare_a_host_as_json(run: Run, baseline: Path, log: Path) -> None:
    said = run("baseline", "compare", baseline, log, "--json", "--host", HOST, "-q")
    assert (said.status, said.err) == (0, "")
    plain = json.loads(said.out)
    assert [one["host"] for one in plain["hosts"]] == [HOST]
    assert {each["band"] for each in plain["hosts"][0]["deviations"]} >= {"over 2"}


def test_bad_lines_are_told(run: Run, baseline: Path, log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    said = run("baseline", "compare", baseline, log)
    assert said.status == 0
    assert "1 line skipped" in said.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("show", "{}", "--host", "10.0.0.6"), "only of 1 other host; is 10.0.0.5 meant?"),
        (("compare", "{}", "{log}", "--host", "10.0.0.6"), "is 10.0.0.5 meant?"),
        (("compare", "{}", "{log}", "--from", "2026-01-20", "--to", "2026-01-19"), "before --to"),
        (("compare", "{}", "gone.log"), "gone.log: no such file or directory"),
        (("show", "gone"), "gone: cannot be read"),
        (("compare", "gone", "{log}"), "gone: cannot be read"),
        (("show", "{log}"), "is no baseline"),
    ],
)
def test_errors(
    run: Run, baseline: Path, log: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    filled = [each.replace("{log}", str(log)).replace("{}", str(baseline)) for each in arguments]
    said = run("baseline", *filled)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("zeek-analyzer: ")
    assert complaint in said.err

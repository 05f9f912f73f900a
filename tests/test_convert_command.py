"""The convert command: what it writes, and what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli import ROOT, Run, run

__all__ = ["run"]  # the fixture

CAPTURE = ROOT / "sample_pcaps" / "dns_tunnel.pcap"


@pytest.mark.parametrize(("form", "first"), [("tsv", "#separator"), ("json", '{"ts":')])
def test_logs_and_a_summary(run: Run, tmp_path: Path, form: str, first: str) -> None:
    said = run("convert", CAPTURE, "--out", tmp_path / "out", "--format", form)
    assert (said.status, said.out) == (0, "")
    assert "1 capture" in said.err
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["conn.log", "dns.log"]
    assert (tmp_path / "out" / "dns.log").read_text().startswith(first)


def test_quiet(run: Run, tmp_path: Path) -> None:
    said = run("convert", CAPTURE, "--out", tmp_path / "out", "-q")
    assert (said.status, said.out, said.err) == (0, "", "")


def test_what_is_no_capture(run: Run, tmp_path: Path) -> None:
    said = run("convert", __file__, "--out", tmp_path / "out")
    assert (said.status, said.out) == (2, "")
    assert "no capture" in said.err
    assert not (tmp_path / "out").exists()


def test_where_to_must_be_said(run: Run) -> None:
    said = run("convert", CAPTURE)
    assert (said.status, said.out) == (2, "")
    assert "the following arguments are required: --out" in said.err

"""Compiling on two cores."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.parsers.pcap.dns_pairing import pair
from analyzer.parsers.pcap.openings import look
from analyzer.parsers.pcap.warming import Warming, warm

from .scenes import START, capture, lookup, records

LOOPS: list[Any] = [pair, look]


def unkept(directory: Path) -> Any:  # noqa: ANN401
    """A function that numba has not kept."""
    return SimpleNamespace(stats=SimpleNamespace(cache_path=str(directory)), py_func=unkept)


def test_what_is_warmed_is_what_a_capture_needs() -> None:
    warm()
    warmed = [set(loop.signatures) for loop in LOOPS]
    records(capture(lookup(START, "www.example.org", "192.0.2.1")))
    assert [set(loop.signatures) for loop in LOOPS] == warmed


def test_a_helper_works_where_nothing_is_kept(tmp_path: Path) -> None:
    with Warming(unkept(tmp_path)) as helper:
        process = helper._process
        assert process is not None
        helper.wait()
        assert process.returncode == 0


def test_no_helper_where_all_is_kept(tmp_path: Path) -> None:
    (tmp_path / "test_warming.unkept-20.py311.nbi").touch()
    with Warming(unkept(tmp_path)) as helper:
        helper.wait()
        assert helper._process is None


def test_a_helper_ends_with_whoever_started_it(tmp_path: Path) -> None:
    with Warming(unkept(tmp_path)) as helper:
        process = helper._process
        assert process is not None
    assert process.returncode is not None


def test_where_no_process_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with Warming(unkept(tmp_path)) as helper:
        helper.wait()
        assert helper._process is None


def test_no_helper_where_nothing_can_be_kept() -> None:
    function = SimpleNamespace(stats=SimpleNamespace(cache_path=None), py_func=unkept)
    with Warming(function) as helper:
        assert helper._process is None

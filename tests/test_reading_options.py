from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from analyzer.errors import OptionError
from analyzer.reading_options import (
    LEVELS,
    add_loudness,
    add_networks,
    add_paths,
    add_resources,
    add_rules,
    add_times,
    listed,
    moment,
    reading,
    resources,
)


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_paths(parser)
    add_rules(parser)
    add_networks(parser.add_argument_group("a group"))
    add_times(parser)
    add_resources(parser, "5MiB")
    add_loudness(parser, quiet="nothing", verbose="all")
    return parser.parse_args(arguments)


def test_defaults() -> None:
    options = parse("a.log")
    assert options.paths == ["a.log"]
    assert (options.rules, options.select, options.ignore, options.quiet) == (None, [], [], False)
    assert reading(options) == {
        "local_networks": [],
        "begin": None,
        "end": None,
        "memory_limit": "5MiB",
        "threads": None,
        "keep_all_problems": False,
    }


def test_all_that_can_be_told() -> None:
    options = parse(
        "a", "b", "--rules", "r", "--select", "x,y", "--ignore", "z", "--local-nets", "10.0.0.0/8",
        "--from", "10", "--to", "20", "--memory-limit", "1GiB", "--threads", "3", "-v",
    )  # fmt: skip
    assert options.paths == ["a", "b"]
    assert (options.rules, options.select, options.ignore) == (Path("r"), ["x", "y"], ["z"])
    expected = {
        "local_networks": ["10.0.0.0/8"],
        "memory_limit": "1GiB",
        "threads": 3,
        "keep_all_problems": True,
    }
    assert resources(options) == expected
    assert reading(options) == {**expected, "begin": 10.0, "end": 20.0}


@pytest.mark.parametrize("end", ["10", "9.5"])
def test_a_time_that_ends_before_it_begins(end: str) -> None:
    with pytest.raises(OptionError, match="--from must be before --to"):
        reading(parse("a", "--from", "10", "--to", end))


def test_levels_are_severities_that_say_something() -> None:
    assert LEVELS == ["low", "medium", "high", "critical"]


@pytest.mark.parametrize(
    ("text", "words"), [("", []), ("a", ["a"]), (" a , b,", ["a", "b"]), (",", [])]
)
def test_lists(text: str, words: list[str]) -> None:
    assert listed(text) == words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1768800000", 1768800000.0),
        ("-0.5", -0.5),
        ("2026-01-19", 1768780800.0),
        ("20260119", 1768780800.0),
        ("2026-01-19T05:20", 1768800000.0),
        ("2026-01-19T07:20:00+02:00", 1768800000.0),
        ("2026-01-19 05:20:00Z", 1768800000.0),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert moment(text) == seconds


@pytest.mark.parametrize("text", ["", "noon", "nan", "inf", "2026-02-30", "20261301"])
def test_no_times(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}' is no time: expected 2026-"):
        moment(text)

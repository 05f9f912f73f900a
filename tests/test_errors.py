"""The form that complaints take."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer import errors
from analyzer.errors import (
    AnalyzerError,
    EmptyInputError,
    InputError,
    Location,
    OptionError,
    OutputError,
    ResourceError,
    RuleError,
    rule_error,
)


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (Location("conn.log", 12), "conn.log:12"),
        (Location("conn.log"), "conn.log"),
    ],
)
def test_location(location: Location, text: str) -> None:
    assert str(location) == text
    error = InputError("cannot be read", location)
    assert (str(error), error.message) == (f"{text}: cannot be read", "cannot be read")
    assert error.location is location


def test_an_error_without_a_place() -> None:
    error = OptionError("no rule is left")
    assert (str(error), error.message, error.location) == (
        "no rule is left",
        "no rule is left",
        None,
    )


def test_one_tree() -> None:
    below = {error for error in vars(errors).values() if isinstance(error, type)} - {Location}
    assert below == {
        AnalyzerError,
        EmptyInputError,
        InputError,
        OptionError,
        OutputError,
        ResourceError,
        RuleError,
    } | {Path}
    assert all(issubclass(error, AnalyzerError) for error in below - {Path})
    assert issubclass(EmptyInputError, InputError)


def test_rule_error() -> None:
    error = rule_error("is empty", Path("rules/scan.yaml"), 1)
    assert type(error) is RuleError
    assert str(error) == "rules/scan.yaml:1: is empty"
    assert error.location == Location("rules/scan.yaml", 1)

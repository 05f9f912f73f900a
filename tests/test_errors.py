from pathlib import Path

import pytest

from analyzer import errors


def test_a_location_is_a_file_and_perhaps_a_line() -> None:
    assert str(errors.Location("conn.log")) == "conn.log"
    assert str(errors.Location("conn.log", 7)) == "conn.log:7"


def test_an_error_says_where() -> None:
    error = errors.InputError("no such file", errors.Location("conn.log"))
    assert str(error) == "conn.log: no such file"
    assert error.message == "no such file"
    assert str(errors.OptionError("nonsense")) == "nonsense"


def test_a_rule_error_has_its_line() -> None:
    assert str(errors.rule_error("unknown key", Path("a.yaml"), 3)) == "a.yaml:3: unknown key"


@pytest.mark.parametrize(
    "kind",
    [
        errors.InputError,
        errors.EmptyInputError,
        errors.RuleError,
        errors.AllowlistError,
        errors.OptionError,
        errors.ResourceError,
        errors.OutputError,
    ],
)
def test_one_tree(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.AnalyzerError)

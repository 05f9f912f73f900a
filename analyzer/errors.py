"""The one exception tree, and the form every complaint about input takes.

Anything wrong with what a user gave us is an :class:`AnalyzerError`; the command line prints its
text and exits with status 2. A traceback therefore always means a bug of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the input something stands: a file and, where it is known, a line (from 1)."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class AnalyzerError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        message: what was wrong and what was expected.
        location: where, if the error is about a place in a file.
    """

    def __init__(self, message: str, location: Location | None = None) -> None:
        self.message = message
        self.location = location
        super().__init__(message if location is None else f"{location}: {message}")


class InputError(AnalyzerError):
    """A log, capture or path cannot be read at all."""


class EmptyInputError(InputError):
    """Everything was read and not one record came of it."""


class RuleError(AnalyzerError):
    """A rule file breaks the rule contract."""


class AllowlistError(AnalyzerError):
    """An allowlist cannot be read, or an entry of it makes no sense."""


class BaselineError(AnalyzerError):
    """A baseline cannot be read, is damaged, or does not fit what is asked of it."""


class ModelError(AnalyzerError):
    """A trained model is missing or damaged."""


class OptionError(AnalyzerError):
    """An option has a value that makes no sense."""


class ResourceError(AnalyzerError):
    """Memory or disk ran out; the message says what would help."""


class OutputError(AnalyzerError):
    """A result cannot be written."""


def rule_error(message: str, file: str | Path, line: int | None) -> RuleError:
    """A :class:`RuleError` at a line of a rule file."""
    return RuleError(message, Location(str(file), line))

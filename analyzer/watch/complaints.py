"""What fails is complained about once, counted, and tried again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeVar

import duckdb

from analyzer.errors import AnalyzerError
from analyzer.watch.judging import InterruptedJudgementError

FAILURES = (AnalyzerError, OSError, sqlite3.Error, duckdb.Error)
"""What may fail and may be well again later: disks, files, memory. All else is a bug."""

T = TypeVar("T")


class Complaints:
    """Complains once of what goes on failing in the same way.

    Args:
        complain: told of what is wrong, a line at a time.

    Attributes:
        count: failures so far, those too that were not told again.
    """

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._told: dict[str, str] = {}
        self._places: set[str] = set()
        self.count = 0

    def attempt(self, what: str, step: Callable[[], T]) -> T | None:
        """Do a step; if it fails, say so unless it has failed like that before.

        Args:
            what: what it is about, in a word or two.
            step: the step.

        Returns:
            What the step returns, None if it failed or was interrupted.
        """
        try:
            result = step()
        except InterruptedJudgementError:
            return None
        except FAILURES as error:
            self.tell(what, str(error).strip().partition("\n")[0])
            return None
        self._told.pop(what, None)
        return result

    def tell(self, what: str, fault: str) -> None:
        """Say that something is wrong, unless that was the last that was said of it."""
        self.count += 1
        if self._told.get(what) != fault:
            self._told[what] = fault
            self._complain(f"{what}: {fault} (will be tried again)")

    def tell_all(self, faults: Mapping[str, str]) -> None:
        """Say what is wrong with places, and forget those with which all is well again."""
        for place in self._places - faults.keys():
            self._told.pop(place, None)
        self._places = set(faults)
        for place, fault in faults.items():
            if self._told.get(place) != fault:
                self.tell(place, fault)

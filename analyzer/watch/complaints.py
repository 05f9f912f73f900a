"""What fails is complained about once, counted, and tried again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import TypeVar

import duckdb

from analyzer.errors import AnalyzerError
from analyzer.watch.judging import InterruptedJudgementError

FAILURES = (AnalyzerError, OSError, sqlite3.Error, duckdb.Error)
"""What may fail and may be well again later: disks, files, memory. All else is a bug."""

T = TypeVar("T")

_NUMBER = re.compile(r"\d+")


class Complaints:
    """Complains once of what goes on failing in the same way.

    Args:
        complain: told of what is wrong, a line at a time.
        inform: told of what is well again.

    Attributes:
        count: failures so far, those too that were not told again.
    """

    def __init__(
        self, complain: Callable[[str], None], inform: Callable[[str], None] = lambda _: None
    ) -> None:
        self._complain = complain
        self._inform = inform
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
        self._recover(what)
        return result

    def tell(self, what: str, fault: str) -> None:
        """Say that something is wrong, unless that was the last that was said of it."""
        self.count += 1
        # How many bytes there was no room for is another number each time.
        known = _NUMBER.sub("#", fault)
        if self._told.get(what) != known:
            self._told[what] = known
            self._complain(f"{what}: {fault} (will be tried again)")

    def tell_all(self, faults: Mapping[str, str]) -> None:
        """Say what is wrong with places, and forget those with which all is well again."""
        for place in sorted(self._places - faults.keys()):
            self._recover(place)
        for place, fault in faults.items():
            if place not in self._places or self._told.get(place) != _NUMBER.sub("#", fault):
                self.tell(place, fault)
        self._places = set(faults)

    def _recover(self, what: str) -> None:
        if self._told.pop(what, None) is not None:
            self._inform(f"{what}: well again")

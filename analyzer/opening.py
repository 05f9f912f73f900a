"""Logs and captures as records: the beginning of every run, whatever it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from analyzer.engine import DEFAULT_MEMORY_LIMIT, Engine
from analyzer.errors import EmptyInputError
from analyzer.parsers.account import Account
from analyzer.parsers.discovery import Paths, paths_of
from analyzer.parsers.reading import read

if TYPE_CHECKING:
    from analyzer.indicators import Indicator
    from analyzer.networks import Network
    from analyzer.records import Records


@dataclass(frozen=True, slots=True)
class Opened:
    """What there is to look at.

    Attributes:
        records: what happened.
        account: the books of reading.
        seconds: that reading took.
    """

    records: Records
    account: Account
    seconds: float


@contextmanager
def open_records(
    paths: Paths,
    networks: Sequence[Network],
    *,
    begin: float | None = None,
    end: float | None = None,
    indicators: Sequence[Indicator] = (),
    summing: bool = False,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    threads: int | None = None,
    keep_all_problems: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Iterator[Opened]:
    """Read records, which are there until the context ends.

    Args:
        paths: as for :func:`analyzer.analyze`, and so is all that is not named here.
        networks: the local ones; if none, what Zeek said decides.
        begin: see there.
        end: see there.
        indicators: what threat intelligence lists.
        summing: read only the columns that sums are made of.
        memory_limit: see there.
        threads: see there.
        keep_all_problems: see there.
        on_progress: see there.
        on_stage: see there.

    Raises:
        InputError: a path does not exist, or no record came of the input.
        OptionError: an option makes no sense.
        ResourceError: memory or disk ran out.
    """
    with Engine(memory_limit=memory_limit, threads=threads, summing=summing) as engine:
        on_stage("reading")
        begun = perf_counter()
        account = read(
            paths_of(paths), engine, keep_all_problems=keep_all_problems, on_progress=on_progress
        )
        records = engine.records(networks, begin=begin, end=end, indicators=indicators)
        if not any(records.counts.values()):
            raise EmptyInputError("no record in the time asked for")
        yield Opened(records, account, perf_counter() - begun)

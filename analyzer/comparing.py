"""The work of a comparison in one call: read records, sum them up, put them beside a baseline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analyzer.baseline.anonymise import check_key, read_key, revealed
from analyzer.baseline.comparing import Compared, compare
from analyzer.baseline.file import read_baseline
from analyzer.baseline.summary import summarise
from analyzer.engine import DEFAULT_MEMORY_LIMIT, out_of_resources
from analyzer.errors import BaselineError, Location
from analyzer.networks import parse_networks
from analyzer.opening import open_records
from analyzer.parsers.account import Account
from analyzer.parsers.discovery import Paths


@dataclass(frozen=True, slots=True)
class Comparison:
    """Records beside a baseline, and what became of the input.

    Attributes:
        compared: every number beside what is usual.
        account: the books of reading.
    """

    compared: Compared
    account: Account

    def as_dict(self, hosts: Iterable[str] = ()) -> dict[str, Any]:
        """The keys and values of JSON: the attributes of :class:`Compared` and all it holds.

        Args:
            hosts: leave out all others.
        """
        plain = asdict(self.compared)
        wanted = set(hosts)
        if wanted:
            plain["hosts"] = [host for host in plain["hosts"] if host["host"] in wanted]
        return plain


def compare_records(
    paths: Paths,
    baseline_file: str | os.PathLike[str],
    *,
    key_file: str | os.PathLike[str] | None = None,
    local_networks: Iterable[str] = (),
    begin: float | None = None,
    end: float | None = None,
    memory_limit: str = DEFAULT_MEMORY_LIMIT,
    threads: int | None = None,
    keep_all_problems: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Put records beside a baseline, which is read and never written.

    Args:
        paths: as for :func:`analyzer.analyze`.
        baseline_file: the baseline.
        key_file: its key, if its addresses and names are keyed hashes.
        local_networks: as for :func:`analyzer.analyze`, and so are all that follow.
        begin: see there.
        end: see there.
        memory_limit: see there.
        threads: see there.
        keep_all_problems: see there.
        on_progress: see there.
        on_stage: see there.

    Raises:
        InputError: a path does not exist, or no record came of the input.
        BaselineError: the file holds no baseline that this version can read, none of other days
            than the records', or one of another key.
        OptionError: an option makes no sense.
        ResourceError: memory or disk ran out.
    """
    networks = parse_networks(local_networks)
    baseline = read_baseline(Path(baseline_file))
    where = Location(str(baseline_file))
    key = None if key_file is None else read_key(Path(key_file))
    check_key(baseline, key, Path(baseline_file))
    with open_records(
        paths,
        networks,
        begin=begin,
        end=end,
        memory_limit=memory_limit,
        threads=threads,
        keep_all_problems=keep_all_problems,
        on_progress=on_progress,
        on_stage=on_stage,
    ) as opened:
        on_stage("summing up")
        with out_of_resources():
            summary = summarise(opened.records)
    on_stage("comparing")
    if key is not None:
        baseline = revealed(baseline, key, summary["domains"].domain)
    compared = compare(baseline, summary)
    if not compared.usual_days:
        raise BaselineError("it holds no other days than those of the records", where)
    return Comparison(compared, opened.account)

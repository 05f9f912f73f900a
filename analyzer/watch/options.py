"""What the service is told, and what it knows from files that may change under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analyzer import rules
from analyzer.allowlist import read_allowlists
from analyzer.api import load_rules
from analyzer.baseline.anonymise import check_key, read_key
from analyzer.baseline.file import read_baseline
from analyzer.errors import InputError, Location, OptionError
from analyzer.findings import Severity
from analyzer.intelligence import Intelligence
from analyzer.networks import parse_networks
from analyzer.watch.judging import Knowledge
from analyzer.writers.log_kinds import OutputFormat

Start = Literal["stopped", "end", "beginning"]
"""Where to begin: where the last run stopped, at the end of all logs, at their beginning."""

SHORTEST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the service is told.

    Attributes:
        tops: directories with the sensor's logs, its archive too if possible.
        out: directory for notice.log, the service's alone.
        state: directory for what must survive.
        start: where to begin. Without a state, ``stopped`` is the beginning of what was written
            within the window.
        interval: seconds between judgements.
        span: seconds that the window reaches back.
        most: rows that it may have.
        slow_span: seconds back that slow beacons are looked for; if that is no more than `span`,
            the window is all there is.
        slow_most: rows that each table of what is kept for that may have.
        rules: directory of rules; None for the shipped ones.
        select: ids or patterns of the only rules; all if empty.
        ignore: ids or patterns of rules that are left out.
        local_networks: the site's own, in CIDR notation.
        intelligence: files of indicators.
        allow: allowlists.
        baseline: the file of what is usual; learned on as days complete.
        key_file: the key of a baseline whose addresses and names are keyed hashes.
        minimum: severity from which findings are reported.
        format: of the notices.
        strict: Zeek's own columns only.
        intel_out: file of indicators that findings make, in Zeek's Intel format.
        intel_severity: severity from which they do.
        memory_limit: what judging may hold in memory.
        threads: how many compute; None for one a core.
    """

    tops: tuple[Path, ...]
    out: Path
    state: Path
    start: Start = "stopped"
    interval: float = 60.0
    span: float = 86400.0
    most: int = 20_000_000
    slow_span: float = 7 * 86400.0
    slow_most: int = 2_000_000
    rules: Path | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    local_networks: Sequence[str] = ()
    intelligence: Sequence[str] = ()
    allow: Sequence[str] = ()
    baseline: Path | None = None
    key_file: Path | None = None
    minimum: Severity = Severity.LOW
    format: OutputFormat = "tsv"
    strict: bool = False
    intel_out: Path | None = None
    intel_severity: Severity = Severity.HIGH
    memory_limit: str = "768MiB"
    threads: int | None = None

    @property
    def keeps_days(self) -> bool:
        """Whether anything is kept of what has left the window."""
        return self.slow_span > self.span

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            InputError: a directory to follow, or that of the baseline, is not there.
            OptionError: a number is too small, or a directory of ours is among the sensor's logs.
        """
        for top in self.tops:
            if not top.is_dir():
                fault = "expected a directory" if top.exists() else "no such directory"
                raise InputError(fault, Location(str(top)))
            for name, own in (("--out", self.out), ("--state", self.state)):
                if own.resolve().is_relative_to(top.resolve()):
                    raise OptionError(
                        f"{name} {own} is in {top}, which is followed: expected another directory"
                    )
        if self.baseline is not None and not self.baseline.parent.is_dir():
            raise InputError("no such directory", Location(str(self.baseline.parent)))
        if self.interval < SHORTEST:
            raise OptionError(f"interval of {self.interval:g} s: expected {SHORTEST:g} s or more")
        if self.span < self.interval:
            raise OptionError(f"window of {self.span:g} s: expected the interval or more")
        if self.most < 1:
            raise OptionError(f"window of {self.most} rows: expected 1 or more")
        if self.slow_most < 1:
            raise OptionError(f"slow window of {self.slow_most} rows: expected 1 or more")


def knowledge(options: Options) -> Knowledge:
    """What the files that options name say now.

    Raises:
        AnalyzerError: one of them is wrong.
    """
    every = load_rules(options.rules)
    chosen = rules.select(every, options.select, options.ignore)
    allowlist = read_allowlists(options.allow)
    allowlist.check_rules([rule.id for rule in every])
    known = Intelligence(options.intelligence)
    baseline, key = None, None if options.key_file is None else read_key(options.key_file)
    if options.baseline is not None and options.baseline.exists():
        baseline = read_baseline(options.baseline)
        check_key(baseline, key, options.baseline)
    elif key is not None:
        named = "" if options.baseline is None else f"{options.baseline}: no such file; "
        raise OptionError(f"{named}a key is for a baseline of keyed hashes: give that, too")
    return Knowledge(
        rules=tuple(chosen),
        allowlist=allowlist,
        indicators=tuple(known.indicators),
        networks=tuple(parse_networks(options.local_networks)),
        baseline=baseline if baseline is not None and baseline.days else None,
        key=key,
        minimum=options.minimum,
    )

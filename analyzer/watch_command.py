"""The ``watch`` command: its options, and the signals that steer it."""

from __future__ import annotations

import argparse
import os
import re
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.findings import Severity
from analyzer.reading_options import LEVELS, add_networks, add_resources, add_rules
from analyzer.standard_streams import complain

if TYPE_CHECKING:
    from analyzer.watch.service import Service

DESCRIPTION = """Follow the logs of a living sensor, judge what is recent again and again, and write
what is new to notice.log, once. Logs may be rotated, moved, compressed or truncated meanwhile; give
the directory that holds the archive, too, so that nothing is missed while this was down. SIGTERM
stops it, SIGHUP has rules, allowlists and intelligence read again."""

LAST = 5.0
"""Seconds after which a stop that has not come about is enforced."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)?")
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def add_watch(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("tops", nargs="+", type=Path, metavar="DIR", help="the sensor's logs")
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", required=True, help="notice.log and statistics go there")
    add("--state", type=Path, metavar="DIR", help="what survives a restart (OUT/.state)")
    add("--baseline", type=Path, metavar="FILE", help="what is usual; learned on day by day")
    add("--key-file", type=Path, metavar="KEY", help="of a baseline of keyed hashes")
    add("--interval", type=_duration, default=60.0, metavar="TIME", help="of judging (60s)")
    add("--window", type=_duration, default=86400.0, metavar="TIME", help="to judge (24h)")
    add("--window-rows", type=int, default=20_000_000, metavar="N", help="at most (20000000)")
    add(
        "--slow-window",
        type=_duration,
        default=7 * 86400.0,
        metavar="TIME",
        help="for slow beacons, kept in brief; 0s for none (7d)",
    )
    add("--slow-rows", type=int, default=2_000_000, metavar="N", help="of that at most (2000000)")
    starts = ("stopped", "end", "beginning")
    add(
        "--start",
        choices=starts,
        default="stopped",
        help="where to begin reading (stopped: where it last stopped)",
    )
    add_rules(parser)
    repeated: dict[str, Any] = {"action": "append", "default": []}
    add("--intel", **repeated, metavar="PATH", help="indicators (Zeek's Intel format); repeatable")
    add("--allow", **repeated, metavar="FILE", help="leave out what this list allows; repeatable")
    add_networks(parser)
    add("--min-severity", choices=LEVELS, default="low", help="report from here on (default: low)")
    add("--format", choices=("tsv", "json", "ecs"), default="tsv", help="of notices (tsv)")
    add("--strict", action="store_true", help="write Zeek's own notice columns only")
    add("--intel-out", type=Path, metavar="FILE", help="write indicators in Zeek's Intel format")
    add("--intel-severity", choices=LEVELS, default="high", help="of what makes them (high)")
    add_resources(parser, "768MiB", of="of judging")
    parser.set_defaults(command=_watch)


def _duration(text: str) -> float:
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: expected 60s, 5min, 24h or 7d")
    return float(found[1]) * _UNITS[found[2] or "s"]


def _watch(options: argparse.Namespace) -> int:
    if threading.current_thread() is threading.main_thread():
        # Until there is something to read again, there is nothing to die of either.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from analyzer.watch.options import Options  # noqa: PLC0415 - as in analyzer.cli
    from analyzer.watch.service import Service, state_directory  # noqa: PLC0415

    service = Service(
        Options(
            tops=tuple(options.tops),
            out=options.out,
            state=options.state or state_directory(options.out),
            start=options.start,
            interval=options.interval,
            span=options.window,
            most=options.window_rows,
            slow_span=options.slow_window,
            slow_most=options.slow_rows,
            rules=options.rules,
            select=options.select,
            ignore=options.ignore,
            local_networks=options.local_nets,
            intelligence=options.intel,
            allow=options.allow,
            baseline=options.baseline,
            key_file=options.key_file,
            minimum=Severity[options.min_severity.upper()],
            format=options.format,
            strict=options.strict,
            intel_out=options.intel_out,
            intel_severity=Severity[options.intel_severity.upper()],
            memory_limit=options.memory_limit,
            threads=options.threads,
        ),
        complain=complain,
        inform=complain,
    )
    steer(service)
    try:
        service.run()
    finally:
        has_ended = service.close()
    if not has_ended:
        # All that must survive is on the disk; a thread that computes would be waited for.
        os._exit(0)
    return 0


def steer(service: Service) -> None:
    """Let signals steer a service: TERM and INT stop it, HUP has it read its files again."""
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(*_: object) -> None:
        # Whoever called us raises an exception then, whatever the service waits for.
        signal.setitimer(signal.ITIMER_REAL, LAST)
        service.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, lambda *_: service.reread())

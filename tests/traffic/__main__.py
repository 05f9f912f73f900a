"""The command line: write generated logs to a directory."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.traffic import ATTACKS, MONDAY, office

_TRIAL_HOSTS = 100


def hosts_for(rows: int, seed: int, days: float, start: float) -> int:
    """How many hosts make about `rows` conn rows in `days` days."""
    small = len(office(seed, hosts=_TRIAL_HOSTS, days=days, start=start).conn)
    large = len(office(seed, hosts=3 * _TRIAL_HOSTS, days=days, start=start).conn)
    per_host = (large - small) / (2 * _TRIAL_HOSTS)
    return max(16, round(_TRIAL_HOSTS + (rows - small) / per_host))


def scale_for(rows: int, seed: int, hosts: int, days: float, start: float) -> float:
    """Which scale makes `hosts` hosts cause about `rows` conn rows in `days` days."""
    small = len(office(seed, hosts=hosts, days=days, start=start, scale=1.0).conn)
    large = len(office(seed, hosts=hosts, days=days, start=start, scale=2.0).conn)
    return max(0.01, 1.0 + (rows - small) / (large - small))


def main(arguments: list[str] | None = None) -> int:
    """Generate as the arguments say, write the logs and truth.json, and say how much there is."""
    parser = argparse.ArgumentParser(prog="python -m tests.traffic", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hosts", type=int, help="servers and users together (40)")
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--start", type=float, default=MONDAY, help="seconds since the epoch")
    parser.add_argument(
        "--attack", action="append", default=[], choices=sorted(ATTACKS), metavar="NAME"
    )
    parser.add_argument(
        "--rows",
        type=int,
        help="about so many conn rows: by more hosts, or with --hosts by busier ones",
    )
    parser.add_argument(
        "--internet-noise", action="store_true", help="scanners' probes from outside too"
    )
    parser.add_argument("--format", choices=("tsv", "json"), default="tsv")
    parser.add_argument("--compression", choices=("gz",))
    parser.add_argument("--rotate", type=float, help="seconds per file of an archive")
    given = parser.parse_args(arguments)

    hosts, scale = given.hosts or 40, 1.0
    if given.rows is not None and given.hosts is None:
        hosts = hosts_for(given.rows, given.seed, given.days, given.start)
    elif given.rows is not None:
        scale = scale_for(given.rows, given.seed, hosts, given.days, given.start)
    traffic = office(
        given.seed,
        hosts=hosts,
        days=given.days,
        start=given.start,
        attacks=given.attack,
        scale=scale,
        internet_noise=given.internet_noise,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    traffic.write(
        given.out, format=given.format, compression=given.compression, rotate=given.rotate
    )
    truth = json.dumps([asdict(truth) for truth in traffic.truth], indent=2)
    (given.out / "truth.json").write_text(truth + "\n", encoding="utf-8")
    sys.stdout.write(
        f"{len(traffic.conn)} conn, {len(traffic.dns)} dns and {len(traffic.ssl)} ssl rows "
        f"of {hosts} hosts at scale {scale:.3g}\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

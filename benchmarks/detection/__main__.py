"""What is found, how much of it, and how often in vain: every measurement of this folder in turn.

    python -m benchmarks.detection [--seeds N] [--only NAME,...] [--data DIR] [--offices N]
                                   [--families CSV] [--benign FILE ...] [--out FILE]

Each figure is printed with its goal, and with what other ways reach on the same traffic: RITA's
published score, Slips' and Zeek's limits, the plain rules (entropy above 3.5, 1 - CV, more than 25
destinations). Tables go to standard output as they are ready, progress to standard error.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.detection import (
    access,
    anomalies,
    baselines,
    beacons,
    contacts,
    dga,
    dns,
    exfiltration,
    offices,
    scans,
    truths,
)
from benchmarks.detection.figures import Figure, table

_FAMILIES = "domains/labelled_domains.csv.gz"
_BENIGN = "domains/opendns-random-domains.txt"
_HONEST = (
    "zeek/m57-benign",
    "pcap/dns-normal-00.pcap",
    "pcap/dns-normal-03.pcap",
    "pcap/dns-normal-05.pcap",
)


def _within(directory: Path | None, *names: str) -> list[Path]:
    if directory is None:
        return []
    return [directory / name for name in names if (directory / name).exists()]


def _dga(given: argparse.Namespace) -> list[Figure]:
    families = given.families or next(iter(_within(given.data, _FAMILIES)), None)
    return dga.measure(given.seeds, families, given.benign or _within(given.data, _BENIGN))


def _dns(given: argparse.Namespace) -> list[Figure]:
    return dns.measure(given.seeds, _within(given.data, *_HONEST))


MEASUREMENTS: dict[str, Callable[[argparse.Namespace], list[Figure]]] = {
    "dga": _dga,
    "beacons": lambda given: beacons.measure(given.seeds),
    "dns": _dns,
    "scans": lambda given: scans.measure(given.seeds),
    "contacts": lambda given: contacts.measure(given.seeds),
    "exfiltration": lambda given: exfiltration.measure(given.seeds),
    "access": lambda given: access.measure(given.seeds),
    "anomalies": lambda given: anomalies.measure(given.seeds),
    "baselines": lambda given: baselines.measure(given.seeds),
    "offices": lambda given: offices.measure(given.offices) if given.offices else [],
    "truths": lambda given: truths.measure(given.data) if given.data else [],
}
"""Each measurement by name, in the order they are made."""


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in MEASUREMENTS:
            known = ", ".join(MEASUREMENTS)
            raise argparse.ArgumentTypeError(
                f"no measurement is called {name!r}; there are {known}"
            )
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each simulation (1)")
    parser.add_argument(
        "--only", type=_names, default=list(MEASUREMENTS), help=", ".join(MEASUREMENTS)
    )
    parser.add_argument(
        "--offices", type=int, default=4, help="clean offices of 120 hosts for all rules (4)"
    )
    parser.add_argument(
        "--data", type=Path, help="real data: domains/, pcap/ and zeek/, as truths.py names them"
    )
    parser.add_argument("--families", type=Path, help="CSV of domain and family")
    parser.add_argument("--benign", type=Path, nargs="+", default=[], help="benign domains")
    parser.add_argument("--out", type=Path, help="write the tables there as well")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say how many goals are missed.

    Returns:
        0 if every goal is met, else 1.
    """
    given = _parser().parse_args(arguments)
    figures: list[Figure] = []
    texts: list[str] = []

    def tell(text: str) -> None:
        print(text, flush=True)
        texts.append(text)

    for name, measure in MEASUREMENTS.items():
        if name not in given.only:
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        begun = time.monotonic()
        measured = measure(given)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        if measured:
            tell(f"{name}\n{table(measured)}\n")
            figures += measured
    aimed = [figure for figure in figures if figure.goal is not None]
    missed = [figure for figure in aimed if not figure.is_met]
    tell(f"{len(aimed) - len(missed)} of {len(aimed)} goals met; missed:" if missed else "all met")
    for figure in missed:
        tell(f"  {figure.name}: {figure.reached:.4g}, goal {figure.goal:g}")
    if given.out:
        given.out.write_text("\n".join(texts) + "\n", "utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

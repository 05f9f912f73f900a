"""What the analyzer is compared with, each run in a process of its own.

``python -m benchmarks.subjects bare conn.log [dns.log]`` and so on; every subject prints one line a
log or capture.
Each imports its library only when it runs, so that its memory is its own.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

_SQL_TYPES = {
    "time": "DOUBLE",
    "interval": "DOUBLE",
    "double": "DOUBLE",
    "count": "BIGINT",
    "int": "BIGINT",
    "port": "USMALLINT",
}
"""DuckDB's types for Zeek's; everything else is text."""


def _header(path: Path) -> tuple[list[str], list[str], int]:
    """Names and types of a log's columns, and how many lines its header has."""
    names: list[str] = []
    types: list[str] = []
    lines = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            mark, *values = line.rstrip("\n").split("\t")
            if not mark.startswith("#"):
                break
            lines += 1
            names = values if mark == "#fields" else names
            types = values if mark == "#types" else types
    return names, types, lines


def _grouped(path: Path) -> str:
    """SQL that scans one log and counts its pairs; every column of the group-by is needed."""
    names, types, skip = _header(path)
    columns = ", ".join(
        f"'{name}': '{_SQL_TYPES.get(kind, 'VARCHAR')}'"
        for name, kind in zip(names, types, strict=True)
    )
    weight = '"orig_bytes"' if "orig_bytes" in names else '"rtt"'
    scan = (
        f"read_csv('{path}', delim='\\t', header=false, quote='', escape='', comment='', "
        f"auto_detect=false, skip={skip}, nullstr='-', ignore_errors=true, columns={{{columns}}})"
    )
    return (
        "SELECT count(*), sum(connections), sum(weight) FROM ("
        'SELECT "id.orig_h", "id.resp_h", count(*) AS connections, '
        f"sum({weight}) AS weight FROM {scan} GROUP BY 1, 2)"
    )


def bare(paths: list[Path]) -> None:
    """DuckDB alone: connections and bytes of every pair, straight off the file."""
    import duckdb  # noqa: PLC0415 - only this subject's

    connection = duckdb.connect()
    for path in paths:
        ((pairs, connections, _),) = connection.execute(_grouped(path)).fetchall()
        print(f"{pairs} pairs of {connections} rows")


def zat_frame(paths: list[Path]) -> None:
    """Zat's data frame of a whole log, all columns."""
    from zat.log_to_dataframe import LogToDataFrame  # noqa: PLC0415 - only this subject's

    for path in paths:
        print(f"{len(LogToDataFrame().create_dataframe(str(path)))} rows")


def zat_rows(paths: list[Path]) -> None:
    """Zat's reader of one row after another, each as a dictionary."""
    from zat.zeek_log_reader import ZeekLogReader  # noqa: PLC0415 - only this subject's

    for path in paths:
        print(f"{sum(1 for _ in ZeekLogReader(str(path)).readrows())} rows")


def nfstream(paths: list[Path]) -> None:
    """NFStream's flows of a capture, with its default settings."""
    from nfstream import NFStreamer  # noqa: PLC0415 - only this subject's

    for path in paths:
        flows = NFStreamer(source=str(path), statistical_analysis=False)
        print(f"{sum(1 for _ in flows)} flows")


def scapy(paths: list[Path]) -> None:
    """Scapy's packets of a capture, all layers taken apart; it says what that alone took."""
    from scapy.all import PcapReader  # noqa: PLC0415 - only this subject's

    for path in paths:
        begun = time.perf_counter()
        with PcapReader(str(path)) as packets:
            count = sum(1 for _ in packets)
        print(f"{count} packets in {time.perf_counter() - begun:.3f} seconds")


_SUBJECTS = {
    "bare": bare,
    "zat-frame": zat_frame,
    "zat-rows": zat_rows,
    "nfstream": nfstream,
    "scapy": scapy,
}


def main(arguments: list[str]) -> int:
    """Run one subject on the files named."""
    if len(arguments) < 2 or arguments[0] not in _SUBJECTS:  # noqa: PLR2004 - a subject, a file
        print(f"usage: python -m benchmarks.subjects {'|'.join(_SUBJECTS)} FILE ...")
        return 2
    _SUBJECTS[arguments[0]]([Path(name) for name in arguments[1:]])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Captures as the logs that Zeek would have written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import EmptyInputError
from analyzer.parsers.account import Account
from analyzer.parsers.captures import capture_rows, find_captures
from analyzer.parsers.discovery import Paths, paths_of
from analyzer.parsers.pcap.prefetching import prefetched
from analyzer.records import CONN, DNS
from analyzer.writers.logs import log_writer
from analyzer.zeek_format import LogFormat


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of captures.

    Attributes:
        account: the books: packets read and passed over, records made, faults.
        conn: the connection log.
        dns: the DNS log.
    """

    account: Account
    conn: Path
    dns: Path


def convert(
    captures: Paths,
    out_dir: str | os.PathLike[str],
    *,
    format: LogFormat = "tsv",  # noqa: A002 - the word of the option it comes from
    on_progress: Callable[[int], None] = lambda _: None,
) -> Conversion:
    """Write the conn.log and dns.log that Zeek would have written for captures.

    Several captures are taken as one stream of packets, in order of time.

    Args:
        captures: captures (pcap, pcapng, plain or compressed), directories of captures, patterns;
            ``-`` is standard input.
        out_dir: where to write; logs that are there are replaced.
        format: ``tsv`` (Zeek's default) or ``json``.
        on_progress: told of input bytes as they are read.

    Raises:
        InputError: a path does not exist, or no record came of the captures.
        OutputError: a log cannot be written.
    """
    account = Account()
    found = find_captures(paths_of(captures), account, on_progress)
    if not found:
        raise EmptyInputError(account.nothing("no capture"))
    directory = Path(out_dir)
    done = Conversion(account, directory / "conn.log", directory / "dns.log")
    written = time.time()
    with (
        log_writer(done.conn, "conn", CONN, format=format, written=written) as conn,
        log_writer(done.dns, "dns", DNS, format=format, written=written) as dns,
        closing(prefetched(capture_rows(found, account, on_progress))) as rows,
    ):
        for complete in rows:
            conn.append(complete.conn)
            dns.append(complete.dns)
        if not account.captured.total():
            raise EmptyInputError(account.nothing("no connection"))
    return done

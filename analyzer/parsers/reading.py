"""Inputs of any kind into the engine's tables."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from analyzer.engine import Engine, out_of_resources
from analyzer.errors import EmptyInputError
from analyzer.parsers import json_lines, tsv
from analyzer.parsers.account import Account, FileAccount
from analyzer.parsers.blocks import BOM, LINE_LIMIT
from analyzer.parsers.captures import (
    Begun,
    CaptureSource,
    capture_source,
    inputs,
    load_captures,
)
from analyzer.parsers.discovery import Source
from analyzer.parsers.header import (
    FIRST_LINES,
    is_headless_tsv,
    is_json,
    is_tsv,
    json_fields,
    log_of,
)
from analyzer.parsers.pcap.magic import is_capture
from analyzer.parsers.validation import BLANK, OTHER_LOG

NO_LOG = "neither a Zeek log (a #fields header, JSON rows) nor a capture (pcap, pcapng)"

Progress = Callable[[int], None]
"""Told of every run of input bytes that has been dealt with."""


def read(
    paths: Iterable[str | os.PathLike[str]],
    engine: Engine,
    *,
    keep_all_problems: bool = False,
    on_progress: Progress = lambda _: None,
) -> Account:
    """Read every log and capture under `paths` into the engine's tables.

    Args:
        paths: files, directories, patterns, ``-`` for standard input.
        engine: where to.
        keep_all_problems: remember the place of every skipped line, not only the first few.
        on_progress: told of bytes as they are read.

    Returns:
        The books: what became of every input and every line.

    Raises:
        InputError: a path does not exist.
        EmptyInputError: not one record came of all inputs together.
        ResourceError: memory or disk ran out.
    """
    account = Account()
    found: list[CaptureSource] = []
    with out_of_resources():
        every = inputs(paths, account, on_progress, keep_all_problems=keep_all_problems)
        for source, file, begun in every:
            if is_capture(begun.head):
                # It is read with the others.
                found.append(capture_source(source, file, begun, on_progress))
            else:
                _read_log(source, begun, engine, file, on_progress)
        if found:
            load_captures(found, engine, account, on_progress)
        engine.finish_loading()
    if not account.read["conn"] and not account.read["dns"]:
        raise EmptyInputError(account.nothing("no conn or dns record"))
    return account


def _read_log(
    source: Source, begun: Begun, engine: Engine, file: FileAccount, on_progress: Progress
) -> None:
    plain, head = begun.plain, begun.head
    rest = itertools.chain([head], begun.chunks)
    # Sensors that log open connections ahead of time (open_conn.log) keep Zeek's #path.
    unfinished = source.path is not None and source.path.name.startswith("open_")
    if is_tsv(head) or is_headless_tsv(head):
        path = source.path if plain.codec is None and file.size > 0 else None
        if path and tsv.load_file(path, head, engine, file, unfinished=unfinished):
            on_progress(file.size - plain.consumed)
            return
        tsv.load_stream(plain, rest, engine, file, unfinished=unfinished)
    elif is_json(head) and (log := json_log(head)) is not None:
        json_lines.load_stream(plain, rest, engine, file, unfinished=unfinished)
        if log and not file.read and file.skipped.keys() <= {OTHER_LOG, BLANK}:
            file.disown(log)
    elif head:
        file.remark(NO_LOG, failed=source.named)
    elif not plain.fault:
        file.remark("empty file", failed=False)
    if plain.fault:
        file.remark(plain.fault, failed=True)


def json_log(head: bytes) -> str | None:
    """What the JSON rows at the start of a stream are.

    Returns:
        None if they are no Zeek log's, the name of the log if they all are of one that is not
        used, and an empty text otherwise.
    """
    if b"\n" not in head and len(head) > LINE_LIMIT:
        return ""
    lines = head.removeprefix(BOM).split(b"\n", FIRST_LINES)[:FIRST_LINES]
    rows = [row for row in map(_json_row, lines) if row]
    if any(log_of(json_fields(row)) for row in rows):
        return ""
    logs = {str(row.get("_path", "")) for row in rows if "_path" in row or "ts" in row}
    if not logs:
        return None
    return logs.pop() or "unnamed" if len(logs) == 1 else ""


def _json_row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}

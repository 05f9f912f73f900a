"""Anything in, records out: what each input is, is found from its content."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from analyzer.engine import Engine, out_of_resources
from analyzer.errors import EmptyInputError
from analyzer.parsers import json_lines, tsv
from analyzer.parsers.account import Account, FileAccount
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.discovery import Source, discover
from analyzer.parsers.header import (
    is_headless_tsv,
    is_json,
    is_tsv,
    json_fields,
    log_of,
)

NO_LOG = "no Zeek log: neither a #fields header nor JSON rows at its start"

Progress = Callable[[int], None]
"""Told of every run of input bytes that has been dealt with."""


def read(
    paths: Iterable[str | os.PathLike[str]],
    engine: Engine,
    *,
    keep_all_problems: bool = False,
    on_progress: Progress = lambda _: None,
) -> Account:
    """Read every log under `paths` into the engine's tables.

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
    with out_of_resources():
        for source in discover(paths):
            file = FileAccount(source.name, keep_all=keep_all_problems)
            account.files.append(file)
            _read_source(source, engine, file, on_progress)
        engine.finish_loading()
    if not account.read["conn"] and not account.read["dns"]:
        raise EmptyInputError(_nothing(account))
    return account


def _nothing(account: Account) -> str:
    if not account.files:
        return "no files there to read"
    problem = next(account.problems(), None) or next(
        (f"{file.name}: {file.note}" for file in account.files if file.note), None
    )
    counted = f"no conn or dns record in {len(account.files)} file(s)"
    return f"{counted}; {problem}" if problem else counted


def _read_source(source: Source, engine: Engine, file: FileAccount, on_progress: Progress) -> None:
    try:
        with _opened(source) as stream:
            file.size = os.fstat(stream.fileno()).st_size if source.path else 0
            _read_stream(source, stream, engine, file, on_progress)
    except OSError as error:
        file.remark(f"cannot be read: {error.strerror or error}", failed=True)


@contextlib.contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    if source.path is None:
        yield sys.stdin.buffer
    else:
        with source.path.open("rb", buffering=0) as stream:
            yield stream


def _read_stream(
    source: Source,
    stream: IO[bytes],
    engine: Engine,
    file: FileAccount,
    on_progress: Progress,
) -> None:
    plain = PlainBytes(stream, on_progress)
    chunks = iter(plain)
    head = next(chunks, b"")
    rest = itertools.chain([head], chunks)
    # Sensors that log open connections ahead of time (open_conn.log) keep Zeek's #path.
    unfinished = source.path is not None and source.path.name.startswith("open_")
    if is_tsv(head) or is_headless_tsv(head):
        if source.path and plain.codec is None and file.size > 0:
            if tsv.load_file(source.path, head, engine, file, unfinished=unfinished):
                on_progress(file.size - plain.consumed)
                return
        tsv.load_stream(plain, rest, engine, file, unfinished=unfinished)
    elif is_json(head) and (path := _json_log(head)) is not None:
        if path:
            file.ignore(path)
        else:
            json_lines.load_stream(plain, rest, engine, file, unfinished=unfinished)
    elif plain.fault and not head:
        pass
    else:
        file.remark("empty file" if not head else NO_LOG, failed=source.named and bool(head))
    if plain.fault:
        file.remark(plain.fault, failed=True)


def _json_log(head: bytes) -> str | None:
    """What the JSON rows at the start of a stream are.

    Returns:
        None if they are no Zeek log's, the name of the log if they all are of one that is not
        used, and an empty text if they are to be read.
    """
    lines = head.splitlines()
    rows = [row for row in map(_json_row, lines[:100]) if row]
    if any(log_of(json_fields(row)) for row in rows):
        return ""
    paths = {str(row.get("_path", "")) for row in rows if "_path" in row or "ts" in row}
    if not paths:
        return None
    return paths.pop() or "unnamed" if len(paths) == 1 else ""


def _json_row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}

"""The rows of archived logs, byte for byte, with when Zeek logged them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import NamedTuple

from analyzer.parsers.account import Account, FileAccount
from analyzer.parsers.blocks import HeaderLine, Overlong, Rows, pieces
from analyzer.parsers.captures import Begun, inputs
from analyzer.parsers.header import Header, is_json, is_tsv, json_fields, log_of
from analyzer.parsers.validation import CUT_OFF, OVERLONG
from analyzer.replay.shapes import (
    Moment,
    Shape,
    json_moment,
    json_row,
    log_name,
    name_in_file,
)

NO_LOG = "no Zeek log: neither a #fields header nor JSON rows"
NO_HEADER = "rows before any #fields header"
NO_OBJECT = "no JSON object"
NO_TIME = "no time in ts, and no row with one before it"


class Row(NamedTuple):
    """A row of a log.

    Attributes:
        moment: when Zeek logged it, UTC epoch seconds. A row that does not say is as late as the
            one before it in its file.
        shape: what it looks like.
        data: its bytes, without the line feed.
    """

    moment: float
    shape: Shape
    data: bytes


def read_rows(
    paths: Iterable[str | os.PathLike[str]],
    account: Account,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Iterator[Row]:
    """Every row of every log under `paths`, file by file.

    Args:
        paths: files, directories, patterns, ``-`` for standard input.
        account: where the books are kept: rows read by log, lines skipped.
        on_progress: told of bytes as they are read.

    Raises:
        InputError: a path does not exist.
    """
    for source, file, begun in inputs(paths, account, on_progress):
        name = PurePath(source.path.name).name if source.path else ""
        if is_tsv(begun.head):
            rows = _tsv_rows(begun, file, name)
        elif is_json(begun.head):
            rows = _json_rows(begun, file, name)
        else:
            file.remark(NO_LOG, failed=source.named)
            continue
        last: float | None = None
        for line, shape, said, data in rows:
            file.lines += 1
            moment = last if said is None else said
            if moment is None:
                file.skip(NO_TIME, line)
                continue
            last = moment
            file.read[shape.name] += 1
            yield Row(moment, shape, data)
        if begun.plain.fault:
            file.remark(begun.plain.fault, failed=True)
        if file.lines and not file.read:
            # What lies about beside logs may be JSON, too.
            file.skipped.clear()
            file.examples.clear()
            file.remark(NO_LOG, failed=source.named)


_Found = tuple[int, Shape, float | None, bytes]
"""Line, shape, the moment that the row itself says, bytes."""


def _chunks(begun: Begun) -> Iterator[bytes]:
    yield begun.head
    yield from begun.chunks


def _lines(piece: Rows, begun: Begun, file: FileAccount) -> Iterator[tuple[int, bytes]]:
    """The rows of a piece with their numbers; the last of a broken stream may be half a row."""
    lines = piece.data.split(b"\n")
    unfinished = lines.pop()
    for number, data in enumerate(lines, piece.line):
        if data.strip():
            yield number, data
    if unfinished.strip():
        number = piece.line + len(lines)
        if begun.plain.fault:
            file.lines += 1
            file.skip(CUT_OFF, number)
        else:
            yield number, unfinished


def _overlong(piece: Overlong, file: FileAccount) -> None:
    file.lines += 1
    file.skip(OVERLONG, piece.line, detail=f"{piece.length:,} bytes")


def _tsv_rows(begun: Begun, file: FileAccount, name: str) -> Iterator[_Found]:
    header = Header()
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    shape: Shape | None = None
    moment: Moment = lambda _: None  # noqa: E731 - until there is a header
    for piece in pieces(_chunks(begun), headers=True):
        if isinstance(piece, Overlong):
            _overlong(piece, file)
        elif isinstance(piece, HeaderLine):
            before, header = header, header.updated(piece.text)
            key, *values = piece.text.split(header.separator)
            if key == "#fields":
                fields, types, shape = tuple(values), (), None
            elif key == "#types":
                types, shape = tuple(values), None
            elif header != before:
                shape = None
        else:
            if shape is None and fields and header.is_separable:
                named = log_name(header.path, name_in_file(name), log_of(fields) or "")
                shape = Shape(
                    named,
                    "tsv",
                    fields,
                    types,
                    header.separator,
                    header.set_separator,
                    header.empty,
                    header.unset,
                )
                moment = shape.moment()
            for number, data in _lines(piece, begun, file):
                if shape is None:
                    file.lines += 1
                    file.skip(NO_HEADER, number)
                else:
                    yield number, shape, moment(data), data


def _json_rows(begun: Begun, file: FileAccount, name: str) -> Iterator[_Found]:
    called = name_in_file(name)
    shapes: dict[str, tuple[Shape, bool]] = {}
    for piece in pieces(_chunks(begun), headers=False):
        if isinstance(piece, Overlong):
            _overlong(piece, file)
        elif isinstance(piece, Rows):
            for number, data in _lines(piece, begun, file):
                row = json_row(data)
                if row is None:
                    file.lines += 1
                    file.skip(NO_OBJECT, number)
                    continue
                path = row.get("_path")
                named = path if isinstance(path, str) else ""
                if named not in shapes:
                    # What the first row of a log is, all are.
                    log = log_of(json_fields(row)) or ""
                    shape = Shape(log_name(named, called, log), "json")
                    shapes[named] = shape, "conn" in {log, shape.name}
                shape, lasts = shapes[named]
                yield number, shape, json_moment(row, lasts=lasts), data

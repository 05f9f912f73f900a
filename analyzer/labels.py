"""What is known to be true of connections: labels by uid, or by host and time.

Read are, told by content, plain or compressed:

- Stratosphere's labelled Zeek logs (https://www.stratosphereips.org/datasets-iot23), TSV or JSON:
  any Zeek log with ``uid``, ``label`` and maybe ``detailed-label``. In some of them the last
  columns are set off by spaces, in the header as well as in the rows.
- CSV or TSV with a header, or JSON lines: ``uid,label`` or ``address,label[,from,to]`` (times as
  epoch seconds or ISO 8601, both inclusive, UTC where no offset is given), with
  ``detailed-label`` if there is one. A row is a line.
"""

from __future__ import annotations

import csv
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from analyzer.errors import EmptyInputError
from analyzer.label_rows import DETAILS, NoLabel, json_row, labelled_row, uid_row
from analyzer.parsers.account import Account, FileAccount
from analyzer.parsers.blocks import BOM, HeaderLine, Overlong, pieces
from analyzer.parsers.captures import Begun, inputs
from analyzer.parsers.header import Header, is_json, is_tsv
from analyzer.parsers.validation import OVERLONG

_BATCH = 1 << 16
_SPACES = re.compile(r"\s{2,}")

_UID = pa.schema([("uid", pa.string()), ("attack", pa.bool_()), ("label", pa.string())])
_HOST = pa.schema(
    [
        ("address", pa.string()),
        ("begin", pa.float64()),
        ("end", pa.float64()),
        ("attack", pa.bool_()),
        ("label", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels, and what became of the files they were read from.

    Attributes:
        by_uid: columns ``uid attack label``. `attack` is null where nobody knows.
        by_host: columns ``address begin end attack label``.
        account: the books.
    """

    by_uid: pa.Table
    by_host: pa.Table
    account: Account


def read_labels(
    paths: Iterable[str | os.PathLike[str]],
    *,
    keep_all_problems: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Labels:
    """Read every label in files, in directories and of patterns.

    Args:
        paths: where to look.
        keep_all_problems: remember the place of every line skipped, not only the first few.
        on_progress: told of bytes as they are read.

    Raises:
        InputError: a path does not exist.
        EmptyInputError: there is not one label in any of them.
    """
    account = Account()
    uids: list[pa.Table] = []
    hosts: list[pa.Table] = []
    for source, file, begun in inputs(
        paths, account, on_progress, keep_all_problems=keep_all_problems
    ):
        rows = _rows(begun, file, named=source.named)
        while batch := list(itertools.islice(rows, _BATCH)):
            for schema, tables in ((_UID, uids), (_HOST, hosts)):
                own = [row for row in batch if len(row) == len(schema)]
                columns = zip(*own, strict=True) if own else [()] * len(schema)
                arrays = [
                    pa.array(column, field.type)
                    for column, field in zip(columns, schema, strict=True)
                ]
                tables.append(pa.Table.from_arrays(arrays, schema=schema))
            file.read["label"] += len(batch)
        if not file.read and not source.named and not file.note:
            # A log that lies about without labels has none that were skipped.
            file.lines = 0
            file.skipped.clear()
            file.examples.clear()
            file.remark("holds no labels", failed=False)
        if begun.plain.fault:
            file.remark(begun.plain.fault, failed=True)
    by_uid = pa.concat_tables([_UID.empty_table(), *uids])
    by_host = pa.concat_tables([_HOST.empty_table(), *hosts])
    if not len(by_uid) and not len(by_host):
        raise EmptyInputError(account.nothing("no label"))
    return Labels(by_uid, by_host, account)


def _rows(begun: Begun, file: FileAccount, *, named: bool) -> Iterator[tuple[Any, ...]]:
    """The labels of a file, as rows of either table."""
    head = begun.head.removeprefix(BOM)
    chunks = itertools.chain([begun.head], begun.chunks)
    if is_tsv(head):
        yield from _of_log(_lines(chunks, file, headers=True), file, named=named)
    elif is_json(head):
        yield from _each(_lines(chunks, file), file, lambda text: labelled_row(json_row(text)))
    else:
        yield from _of_table(_lines(chunks, file), file, named=named)


def _lines(
    chunks: Iterable[bytes], file: FileAccount, *, headers: bool = False
) -> Iterator[tuple[int, str]]:
    """The lines of a stream that are not blank, with their numbers."""
    for piece in pieces(chunks, headers=headers):
        if isinstance(piece, HeaderLine):
            yield piece.line, piece.text
        elif isinstance(piece, Overlong):
            file.lines += 1
            file.skip(OVERLONG, piece.line)
        else:
            for offset, line in enumerate(piece.data.split(b"\n")):
                if text := line.decode("utf-8", "backslashreplace").rstrip("\r"):
                    yield piece.line + offset, text


def _each(
    lines: Iterable[tuple[int, str]], file: FileAccount, read: Callable[[str], tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """What `read` makes of each line; lines that are no label are counted."""
    for number, text in lines:
        file.lines += 1
        try:
            row = read(text)
        except NoLabel as bad:
            file.skip(str(bad), number)
        else:
            yield row


def _of_log(
    lines: Iterable[tuple[int, str]], file: FileAccount, *, named: bool
) -> Iterator[tuple[Any, ...]]:
    header = Header()
    for is_header, run in itertools.groupby(lines, key=lambda line: line[1].startswith("#")):
        if is_header:
            for _, text in run:
                header = header.updated(text)
            continue
        fields = [name for field in header.fields for name in field.split()]
        if not header.is_separable or not {"uid", "label"} <= set(fields):
            file.remark("a log without the columns uid and label", failed=named)
            return
        yield from _each(run, file, _log_reader(fields, header.separator))


def _log_reader(fields: Sequence[str], separator: str) -> Callable[[str], tuple[Any, ...]]:
    uid, label = fields.index("uid"), fields.index("label")
    detail = next((fields.index(name) for name in DETAILS if name in fields), None)

    def read(text: str) -> tuple[Any, ...]:
        cells = text.split(separator)
        if len(cells) < len(fields):
            cells[-1:] = _SPACES.split(cells[-1].strip())
        if len(cells) != len(fields):
            raise NoLabel("not as many columns as #fields names")
        return uid_row(cells[uid], cells[label], "" if detail is None else cells[detail])

    return read


def _of_table(
    lines: Iterator[tuple[int, str]], file: FileAccount, *, named: bool
) -> Iterator[tuple[Any, ...]]:
    _, head = next(lines, (0, ""))
    delimiter = "\t" if "\t" in head else ","
    names = [name.strip().lower() for name in _cells(head, delimiter) or []]
    if "label" not in names or not {"uid", "address"} & set(names):
        if head:
            expected = "a header with uid,label or address,label[,from,to]"
            file.remark(f"holds no labels: expected {expected}", failed=named)
        else:
            file.remark("empty file", failed=False)
        return

    def read(text: str) -> tuple[Any, ...]:
        cells = _cells(text, delimiter)
        if cells is None or len(cells) != len(names):
            raise NoLabel("not as many columns as the header names")
        return labelled_row(dict(zip(names, cells, strict=True)))

    yield from _each(lines, file, read)


def _cells(text: str, delimiter: str) -> list[str] | None:
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), None)
    except csv.Error:
        return None

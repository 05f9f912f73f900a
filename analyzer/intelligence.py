"""Reading threat intelligence: files as Zeek's Intel framework reads them.

Format: tab-separated columns under a ``#fields`` header that names at least ``indicator`` and
``indicator_type``; ``meta.source``, ``meta.desc`` and ``meta.url`` are used where they are there
(https://docs.zeek.org/en/master/frameworks/intel.html).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from analyzer.errors import EmptyInputError, InputError, Location
from analyzer.indicators import (
    OTHER_TYPES,
    USED_TYPES,
    Indicator,
    IndicatorError,
    merged,
    parse_indicator,
)
from analyzer.parsers.account import Account, FileAccount
from analyzer.parsers.blocks import HeaderLine, Overlong, pieces
from analyzer.parsers.compression import PlainBytes
from analyzer.parsers.discovery import Source, discover
from analyzer.parsers.header import Header
from analyzer.parsers.validation import OVERLONG
from analyzer.yaml_lines import did_you_mean
from analyzer.zeek_format import unescape

_NEEDED = ("indicator", "indicator_type")
_NO_HEADER = "no #fields header with indicator and indicator_type above, separated by tabs"
_EXPECTED = "expected Zeek's Intel format: #fields indicator indicator_type meta.source, by tabs"

_Fingerprint = tuple[int, int, int, int]


class Intelligence:
    """The indicators of files, read again when a file changes.

    Args:
        paths: files, directories, patterns.
        keep_all_problems: remember the place of every line skipped, not only the first few.

    Attributes:
        indicators: each once, in a fixed order.
        account: what became of every file and line; ``passed_over`` counts indicators of types that
            are not used.

    Raises:
        InputError: a path does not exist, or a file that was named holds no indicator.
        EmptyInputError: no file holds one.
    """

    def __init__(
        self, paths: Iterable[str | os.PathLike[str]], *, keep_all_problems: bool = False
    ) -> None:
        self._paths = list(paths)
        self._keep_all_problems = keep_all_problems
        self._files: dict[str, _File] = {}
        self.indicators: tuple[Indicator, ...] = ()
        self.account = Account()
        self.refresh()

    def refresh(self) -> bool:
        """Read what changed since the last time: other times, sizes or files under the same names.

        Returns:
            Whether anything did.

        Raises:
            InputError: as when it was made; what was known before stays known.
        """
        files: dict[str, _File] = {}
        for source in discover(self._paths):
            known = self._files.get(source.name)
            fingerprint = _fingerprint(source)
            if known is None or known.fingerprint != fingerprint:
                known = _read(source, fingerprint, keep_all=self._keep_all_problems)
            files[source.name] = known
        if _fingerprints(files) == _fingerprints(self._files):
            return False
        account = Account([file.account for file in files.values()])
        for file in files.values():
            account.passed_over.update(file.unused)
        if self._paths and not account.read:
            raise EmptyInputError(account.nothing("no indicator"))
        self._files, self.account = files, account
        self.indicators = merged(one for file in files.values() for one in file.indicators)
        return True


@dataclass(slots=True)
class _File:
    fingerprint: _Fingerprint
    account: FileAccount
    indicators: list[Indicator] = field(default_factory=list)
    unused: dict[str, int] = field(default_factory=dict)


def _fingerprints(files: dict[str, _File]) -> list[tuple[str, _Fingerprint]]:
    return [(name, file.fingerprint) for name, file in files.items()]


def _fingerprint(source: Source) -> _Fingerprint:
    """What changes when a file is written or replaced: device and inode, time and size."""
    if source.path is None:
        raise InputError("indicators are read from files, not from standard input")
    try:
        status = source.path.stat()
    except OSError as error:
        raise InputError(error.strerror or str(error), Location(source.name)) from error
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _read(source: Source, fingerprint: _Fingerprint, *, keep_all: bool) -> _File:
    file = _File(fingerprint, FileAccount(source.name, fingerprint[-1], keep_all=keep_all))
    account = file.account
    try:
        with source.open() as stream:
            plain = PlainBytes(stream)
            file.indicators = list(_indicators(plain, file))
    except OSError as error:
        raise InputError(error.strerror or str(error), Location(source.name)) from error
    if plain.fault:
        account.remark(plain.fault, failed=True)
    if file.unused and not file.indicators:
        account.remark(f"only indicators of other types than {', '.join(USED_TYPES)}", failed=False)
    elif not file.indicators:
        problem = next(iter(account.examples), None)
        why = plain.fault or (problem.reason if problem else "empty")
        if source.named:
            line = problem.location.line if problem else None
            message = f"no indicator in this file: {why}; {_EXPECTED}"
            raise InputError(message, Location(source.name, line))
        # What lies about in a directory need be none of ours.
        file.account = FileAccount(source.name, account.size)
        file.account.remark(f"no indicator: {why}", failed=False)
    return file


def _indicators(chunks: Iterable[bytes], file: _File) -> Iterator[Indicator]:
    header = Header()
    account = file.account
    for piece in pieces(chunks, headers=True):
        if isinstance(piece, HeaderLine):
            header = header.updated(piece.text)
        elif isinstance(piece, Overlong):
            account.lines += 1
            account.skip(OVERLONG, piece.line)
        else:
            for number, data in enumerate(piece.data.split(b"\n"), piece.line):
                if data.strip():
                    account.lines += 1
                    yield from _row(data, number, header, file)


def _row(data: bytes, line: int, header: Header, file: _File) -> Iterator[Indicator]:
    account = file.account
    if not set(_NEEDED) <= set(header.fields):
        account.skip(_NO_HEADER, line)
        return
    values = data.decode("utf-8", "backslashreplace").rstrip("\r").split(header.separator)
    if len(values) != len(header.fields):
        reason = f"expected the {len(header.fields)} columns of #fields, separated by tabs"
        account.skip(reason, line, detail=f"found {len(values)}")
        return
    row = {
        name: "" if value == header.unset else unescape(value)
        for name, value in zip(header.fields, values, strict=True)
    }
    zeek_type = row["indicator_type"].strip()
    if zeek_type in OTHER_TYPES:
        file.unused[zeek_type] = file.unused.get(zeek_type, 0) + 1
    elif zeek_type not in USED_TYPES:
        known = did_you_mean(zeek_type, (*USED_TYPES, *OTHER_TYPES))
        expected = f"unknown indicator_type, expected {', '.join(USED_TYPES)}"
        account.skip(expected, line, detail=f"found {zeek_type[:40]!r}{known}")
    else:
        try:
            found = parse_indicator(row["indicator"], zeek_type)
        except IndicatorError as error:
            account.skip(f"{zeek_type}: {error}", line, detail=f"found {row['indicator'][:80]!r}")
            return
        account.read[found.kind] += 1
        yield replace(
            found,
            sources=_texts(row, "meta.source"),
            descriptions=_texts(row, "meta.desc"),
            references=_texts(row, "meta.url"),
        )


def _texts(row: dict[str, str], name: str) -> tuple[str, ...]:
    text = row.get(name, "").strip()
    return (text,) if text else ()

"""Tests of reading logs, and what they share: small logs, and what became of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analyzer.engine import Engine
from analyzer.parsers.reading import read
from analyzer.records import LOGS
from tests.traffic.columns import TYPES as TRAFFIC_TYPES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.parsers.account import Account

EVERY_COLUMN = {log: tuple(column.name for column in held) for log, held in LOGS.items()}

TYPES = {
    **TRAFFIC_TYPES,
    "http": {
        "ts": "time",
        "uid": "string",
        "id.orig_h": "addr",
        "id.orig_p": "port",
        "id.resp_h": "addr",
        "id.resp_p": "port",
        "method": "string",
        "host": "string",
        "uri": "string",
        "status_code": "count",
    },
}

Values = dict[str, str]


def header(log: str = "conn", fields: Iterable[str] | None = None, separator: str = "\t") -> str:
    """A TSV header as Zeek writes it: seven lines."""
    names = list(TYPES[log] if fields is None else fields)
    marks = [("set_separator", ","), ("empty_field", "(empty)"), ("unset_field", "-")]
    lines = [f"#separator \\x{ord(separator):02x}"]
    lines += [f"#{key}{separator}{value}" for key, value in [*marks, ("path", log)]]
    lines.append(separator.join(["#fields", *names]))
    lines.append(separator.join(["#types", *(TYPES[log].get(name, "string") for name in names)]))
    return "".join(f"{line}\n" for line in lines)


def values(log: str = "conn", number: int = 0, **changes: str) -> Values:
    """The texts of one row; `changes` are named as our columns are."""
    row = dict.fromkeys(TYPES[log], "-") | {
        "ts": f"{1_700_000_000 + number}.250000",
        "uid": f"C{log}{number}",
        "id.orig_h": "10.0.0.1",
        "id.orig_p": "50000",
        "id.resp_h": "192.0.2.7",
        "id.resp_p": "53" if log == "dns" else "443",
    }
    row |= {
        "conn": {"proto": "tcp", "conn_state": "SF", "duration": "1.500000", "orig_bytes": "10"},
        "dns": {"proto": "udp", "query": "example.com", "qtype_name": "A"},
        "ssl": {"server_name": "tls.example.com"},
        "http": {"host": "web.example.com", "method": "GET"},
    }[log]
    return row | {_zeek_name(name): text for name, text in changes.items()}


def row(log: str = "conn", number: int = 0, separator: str = "\t", **changes: str) -> str:
    """One TSV row with its line feed."""
    return separator.join(values(log, number, **changes).values()) + "\n"


def rows(count: int, log: str = "conn") -> str:
    """TSV rows with numbers from 0 on."""
    return "".join(row(log, number) for number in range(count))


def json_row(log: str = "conn", number: int = 0, **changes: object) -> str:
    """One JSON row with its line feed; what is changed to None is left out."""
    texts = values(log, number)
    typed: dict[str, object] = {
        name: _typed(text, TYPES[log][name]) for name, text in texts.items() if text != "-"
    }
    typed |= {_zeek_name(name): value for name, value in changes.items()}
    return json.dumps({name: value for name, value in typed.items() if value is not None}) + "\n"


def _typed(text: str, kind: str) -> object:
    if kind in {"time", "interval"}:
        return float(text)
    return int(text) if kind in {"count", "port"} else text


def _zeek_name(name: str) -> str:
    return f"id.{name}" if name in {"orig_h", "orig_p", "resp_h", "resp_p"} else name


@dataclass(frozen=True)
class Loaded:
    """What came of reading: each table's rows in an order of their own, and the books."""

    tables: dict[str, list[dict[str, Any]]]
    server_names: dict[str, str]
    account: Account

    @property
    def uids(self) -> list[str]:
        """Those of conn and dns rows."""
        return [row["uid"] for log in ("conn", "dns") for row in self.tables[log]]

    @property
    def problems(self) -> list[str]:
        """What is remembered, without the directories' names."""
        return [str(problem).rsplit("/", 1)[-1] for problem in self.account.problems()]


def load(
    *paths: str | os.PathLike[str],
    column_names: Mapping[str, Sequence[str]] = EVERY_COLUMN,
    keep_all_problems: bool = False,
) -> Loaded:
    """Read inputs, checking that the books balance."""
    with Engine(column_names=column_names, threads=1) as engine:
        account = read(paths, engine, keep_all_problems=keep_all_problems)
        assert not [path for path in engine.directory.iterdir() if path.suffix != ".tmp"]
        assert_balanced(account)
        names = engine.records().server_names.to_pyarrow().to_pylist()
        return Loaded(
            {log: table_rows(engine, log) for log in LOGS},
            {row["uid"]: row["server_name"] for row in names},
            account,
        )


def table_rows(engine: Engine, log: str) -> list[dict[str, Any]]:
    """A table's rows, sorted."""
    rows: list[dict[str, Any]] = engine.table(log).to_pyarrow().to_pylist()
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def assert_balanced(account: Account) -> None:
    """Check that every data line is either a record or skipped for a reason."""
    for file in account.files:
        assert file.read.total() + file.skipped.total() == file.lines
        assert all(count > 0 for count in file.skipped.values())
        remembered = Counter(problem.reason for problem in file.examples)
        for reason, count in file.skipped.items():
            assert remembered[reason] == (count if file.keep_all else min(count, 3))


def assert_same(first: pd.DataFrame, second: pd.DataFrame) -> None:
    """Check that two tables hold the same rows."""
    assert list(first.columns) == list(second.columns)
    assert first.to_dict("records") == second.to_dict("records")

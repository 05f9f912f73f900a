"""Logs to replay."""

from __future__ import annotations

from pathlib import Path

FIELDS = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration")
TYPES = ("time", "string", "addr", "port", "addr", "port", "enum", "interval")

NOON = 1768824000.0  # 2026-01-19 12:00:00 UTC


def conn_row(begin: float, lasted: float | None = None, uid: str = "C1") -> str:
    """A row of a small conn log."""
    duration = "-" if lasted is None else f"{lasted:.6f}"
    return f"{begin:.6f}\t{uid}\t10.0.0.5\t40000\t10.0.1.9\t22\ttcp\t{duration}"


def tsv(
    *rows: str,
    name: str = "conn",
    fields: tuple[str, ...] = FIELDS,
    types: tuple[str, ...] = TYPES,
) -> str:
    """A log with its header, without an end."""
    lines = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{name}",
        "#open\t2026-01-19-11-00-00",
        "\t".join(("#fields", *fields)),
        "\t".join(("#types", *types)),
        *rows,
    ]
    return "".join(f"{line}\n" for line in lines)


def data_rows(directory: Path) -> list[str]:
    """Every row of every log below a directory, file by file in order of name."""
    return [
        line
        for file in sorted(directory.rglob("*.log"))
        for line in file.read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]

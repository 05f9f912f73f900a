from pathlib import Path

import duckdb
import pytest

from analyzer.parsers.scanning import Measure, measure, scan


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Measure(0, 0, escaped=False, returns=False)),
        (b"a\tb\nc\td\n", Measure(2, 2, escaped=False, returns=False)),
        (b"a\tb\nc", Measure(2, 1, escaped=False, returns=False)),
        (b"\n\n", Measure(2, 0, escaped=False, returns=False)),
        (b"a\\x09b\n", Measure(1, 0, escaped=True, returns=False)),
        (b"a\tb\r\n", Measure(1, 1, escaped=False, returns=True)),
    ],
)
def test_measure(tmp_path: Path, content: bytes, expected: Measure) -> None:
    path = tmp_path / "rows"
    path.write_bytes(content)
    assert measure(path, "\t") == expected


def test_measure_begins_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"#separator \\x09\na\tb\n")
    assert measure(path, "\t", 16) == Measure(1, 1, escaped=False, returns=False)


def test_nothing_but_the_separator_is_special(tmp_path: Path) -> None:
    path = tmp_path / "rows[1]*.tsv"
    path.write_bytes(b'1\t"a#b\n-\t#\nx\ty\n')
    connection = duckdb.connect()
    rows = connection.execute(
        f"SELECT * FROM {scan(path, ['INTEGER', 'VARCHAR'], separator=chr(9), unset='-')}"
    ).fetchall()
    assert rows == [(1, '"a#b'), (None, "#")]
    assert connection.execute("SELECT line, csv_line FROM rejected").fetchall() == [(3, "x\ty")]

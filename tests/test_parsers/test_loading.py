from collections import Counter

import duckdb
import pytest

from analyzer.parsers.loading import Inserted, elements_fit, is_record
from analyzer.records import Column

TIME = Column("ts", "time", "when", required=True)
COUNT = Column("Z", "count", "how many")
TTLS = Column("TTLs", "vector[interval]", "how long")


@pytest.mark.parametrize(
    ("ts", "count", "ttls", "kept"),
    [
        ("1.5", "3", "[1.0]", True),
        ("1.5", "NULL", "NULL", True),
        ("NULL", "3", "[1.0]", False),
        ("'inf'::DOUBLE", "3", "[1.0]", False),
        ("'nan'::DOUBLE", "3", "[1.0]", False),
        ("1.5", "-1", "[1.0]", False),
        ("1.5", "3", "['inf'::DOUBLE]", False),
    ],
)
def test_a_record_has_what_is_required_and_honest_numbers(
    ts: str, count: str, ttls: str, *, kept: bool
) -> None:
    query = (
        f'SELECT count(*) FROM (SELECT {ts} AS "ts", {count} AS "Z", {ttls}::DOUBLE[] AS "TTLs") '
        f"WHERE {is_record((TIME, COUNT, TTLS))}"
    )
    assert duckdb.execute(query).fetchall() == [(int(kept),)]


@pytest.mark.parametrize(
    ("elements", "fit"), [("['1.0', NULL]", True), ("[]::VARCHAR[]", True), ("['x']", False)]
)
def test_elements_fit_their_type(elements: str, *, fit: bool) -> None:
    assert duckdb.execute(f"SELECT {elements_fit(elements, TTLS)}").fetchall() == [(fit,)]


def test_rows_of_other_logs_are_accounted_for() -> None:
    assert Inserted(Counter(conn=2, dns=1), others=4).accounted == 7

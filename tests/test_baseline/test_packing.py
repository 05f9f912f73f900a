"""How tables are laid out in a file."""

from __future__ import annotations

import pyarrow as pa
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.packing import packed, stored_tables, unpacked
from analyzer.baseline.tables import LAYOUTS

from . import FIRST, frame, small

BASELINE = small(
    hours=frame(
        "hours",
        ("10.0.0.1", FIRST, 8, 4.0, 1.0, 768.0, 512.0, 3.0, 2.0, 4.0, 6.0),
        ("10.0.0.1", FIRST, 9, 4.0, 1.0, 768.0, 512.0, 3.0, 2.0, 4.0, 6.0),
        ("10.0.0.1", FIRST, 10, 4.0, 0.0, 1024.0, 512.0, 3.0, 2.0, 4.0, 6.0),
        ("10.0.0.1", FIRST, 11, 5.0, 0.0, 1234.0, 5678.0, 3.0, 2.0, 4.0, 7.0),
    ),
    peers=frame(
        "peers",
        ("10.0.0.1", "192.0.2.1", True, FIRST, FIRST),
        ("10.0.0.1", "192.0.2.9", True, FIRST, FIRST),
        ("10.0.0.2", "192.0.2.1", True, FIRST, FIRST),
        ("10.0.0.2", "192.0.2.9", True, FIRST, FIRST),
        ("10.0.0.3", "192.0.2.9", True, FIRST, FIRST),
        ("10.0.0.4", "192.0.2.9", True, FIRST, FIRST),
    ),
)


def test_addresses_are_steps_in_a_list() -> None:
    stored = packed(BASELINE.tables)
    assert stored["peers.peer"].to_pydict() == {"peer": ["192.0.2.9", "192.0.2.1"]}
    assert stored["peers.first_day+last_day"].to_pydict() == {
        "first_day": [FIRST],
        "last_day": [FIRST],
    }
    assert stored["peers"].to_pydict() == {
        "source": ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.3", "10.0.0.4"],
        "outside": [True] * 6,
        "peer.step": [1, 1, 1, 1, 1, 1],
        "first_day+last_day.rank": [0] * 6,
    }


def test_what_is_on_the_grid_is_ranked_and_the_rest_is_exact() -> None:
    stored = packed(BASELINE.tables)
    assert stored["hours"]["hour"].to_pylist() == [8, 9, 10]
    assert stored["hours"]["bytes_out.rank"].to_pylist() == [0, 0, 1]
    assert stored["hours"]["bytes_in.rank"].to_pylist() == [0, 0, 0]
    assert stored["hours.bytes_in"].to_pydict() == {
        "bytes_out": [768.0, 1024.0],
        "destinations": [3.0, 3.0],
        "bytes_in": [512.0, 512.0],
    }
    assert stored["hours.exact"]["bytes_out"].to_pylist() == [1234.0]


@pytest.mark.parametrize("baseline", [Baseline(), BASELINE])
def test_there_and_back(baseline: Baseline) -> None:
    stored = packed(baseline.tables)
    said = stored_tables()
    assert {name: table.schema for name, table in stored.items()} == {
        name: each.schema for name, each in said.items()
    }
    back = unpacked(stored)
    for name, layout in LAYOUTS.items():
        assert layout.frame(back[name]).equals(baseline[name].reset_index(drop=True)), name


def test_everything_is_explained() -> None:
    said = stored_tables()
    for name, each in said.items():
        assert list(each.columns) == each.schema.names, name
        assert each.meaning
        assert all(each.columns.values())
    assert said["hours"].columns["destinations+outside.rank"] == (
        "row of hours.destinations+outside, from 0 at the first of the same connections and queries"
    )


@pytest.mark.parametrize("step", [-2, 9])
def test_steps_out_of_the_list(step: int) -> None:
    stored = packed(BASELINE.tables)
    peers = stored["peers"]
    at = peers.schema.get_field_index("peer.step")
    steps = pa.array([1, 1, 1, 1, 1, step], pa.int32())
    stored["peers"] = peers.set_column(at, "peer.step", steps)
    with pytest.raises(ValueError, match=r"table peers: there are ranks that the list of peer"):
        unpacked(stored)

"""How tables are laid out in a file."""

from __future__ import annotations

import pyarrow as pa
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.packing import meanings, packed, stored_schemas, unpacked
from analyzer.baseline.tables import LAYOUTS

from . import FIRST, frame, small

BASELINE = small(
    peers=frame(
        "peers",
        ("10.0.0.1", "192.0.2.1", True, FIRST, FIRST),
        ("10.0.0.1", "192.0.2.9", True, FIRST, FIRST),
        ("10.0.0.2", "192.0.2.9", True, FIRST, FIRST),
    )
)


def test_lists_have_the_commonest_first() -> None:
    stored = packed(BASELINE.tables)
    assert stored["peers.peer"].to_pydict() == {"peer": ["192.0.2.9", "192.0.2.1"]}
    assert stored["peers.first_day+last_day"].to_pydict() == {
        "first_day": [FIRST],
        "last_day": [FIRST],
    }
    assert stored["peers"].to_pydict() == {
        "source": ["10.0.0.1", "10.0.0.1", "10.0.0.2"],
        "outside": [True, True, True],
        "peer.row": [0, 1, 0],
        "first_day+last_day.row": [0, 0, 0],
    }


@pytest.mark.parametrize("baseline", [Baseline(), BASELINE])
def test_there_and_back(baseline: Baseline) -> None:
    stored = packed(baseline.tables)
    assert {name: table.schema for name, table in stored.items()} == stored_schemas()
    back = unpacked(stored)
    for name, layout in LAYOUTS.items():
        assert layout.frame(back[name]).equals(baseline[name].reset_index(drop=True)), name


def test_everything_is_explained() -> None:
    said = meanings()
    assert {name: list(columns) for name, columns in said.items()} == {
        name: schema.names for name, schema in stored_schemas().items()
    }
    assert said["hours"]["destinations+outside.row"] == "row of hours.destinations+outside, from 0"


@pytest.mark.parametrize("place", [-1, 2])
def test_places_that_are_not_there(place: int) -> None:
    stored = packed(BASELINE.tables)
    peers = stored["peers"]
    places = pa.array([0, 0, place], pa.int32())
    stored["peers"] = peers.set_column(2, "peer.row", places)
    with pytest.raises(ValueError, match=r"table peers has places that peers\.peer lacks"):
        unpacked(stored)

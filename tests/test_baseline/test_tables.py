"""What a baseline holds: every column explained."""

from __future__ import annotations

import pytest

from analyzer.baseline.tables import LAYOUTS


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_layouts(name: str) -> None:
    layout = LAYOUTS[name]
    assert layout.name == name
    assert layout.meaning
    assert all(field.meaning for field in layout.fields)
    assert layout.keys
    assert list(layout.empty().columns) == layout.schema.names
    assert not layout.day or layout.day in layout.schema.names
    assert len(layout.joined(layout.empty())) == 0

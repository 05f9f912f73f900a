"""Where real logs are that some tests read: beside the checkout, or where a variable says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

_SHARED = Path(__file__).parents[2] / "shared"


settings.register_profile("short", settings.get_profile("ci"), max_examples=50)


def pytest_configure(config: pytest.Config) -> None:
    # Ibis asks DuckDB for tables, and pandas for its options, in the old way.
    for message in (r"fetch_arrow_table\(\)", r"The 'future.infer_string' option"):
        config.addinivalue_line("filterwarnings", f"ignore:{message}:DeprecationWarning")


# The longest first, whatever the number of their tests: the last file to end is to be a short one.
_LONGEST = ("test_shipped_rules", "test_truth", "test_watch", "test_learning", "test_shippers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(_LONGEST))


def _directory(variable: str, default: Path) -> Path:
    directory = Path(os.environ.get(variable, default))
    if not directory.is_dir():
        pytest.skip(f"no {directory}; set {variable} to where it is")
    return directory


@pytest.fixture(scope="session")
def data() -> Path:
    """Logs and captures of real traffic."""
    return _directory("ZEEK_ANALYZER_DATA", _SHARED / "data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """Captures with the logs that Zeek makes of them."""
    return _directory("ZEEK_ANALYZER_GOLDEN", _SHARED / "golden")

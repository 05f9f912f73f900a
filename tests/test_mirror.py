"""Every module has its tests, and they are where one looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

UNTESTED = {"__init__", "__main__", "version"}

# Tests of several modules together, or of what is no module.
OTHERS = {
    "test_architecture",
    "test_deploy",
    "test_mirror",
    "test_packaging",
    "test_reach",
    "test_shippers",
    "test_shipped_rules",
    "test_truth",
    "test_zeek_scripts",
}


def modules() -> list[str]:
    files = (file.relative_to(ROOT / "analyzer") for file in (ROOT / "analyzer").rglob("*.py"))
    return sorted(str(file.with_suffix("")) for file in files if file.stem not in UNTESTED)


def suites() -> list[str]:
    files = (file.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("test_*.py"))
    named = sorted(str(file.with_suffix("")) for file in files)
    # The generator's tests, and what is found in traffic whose truth is known, kind by kind.
    return [name for name in named if not name.startswith(("test_traffic/", "test_truth_"))]


def mirrored(module: str) -> str:
    return "/".join(f"test_{part}" for part in module.split("/"))


@pytest.mark.parametrize("module", modules())
def test_every_module_has_tests(module: str) -> None:
    assert (ROOT / "tests" / f"{mirrored(module)}.py").is_file()


@pytest.mark.parametrize("name", [name for name in suites() if name not in OTHERS])
def test_every_test_is_of_a_module(name: str) -> None:
    assert name in {mirrored(module) for module in modules()}


def test_the_exceptions_exist() -> None:
    assert set(suites()) >= OTHERS

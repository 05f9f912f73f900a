"""What may import what, and where SQL may stand. The contracts are in ``.importlinter``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SQL = re.compile(r"raw_sql|\.sql\(|execute\(f?\"|SELECT ")


def lint(directory: Path) -> tuple[int, str]:
    """Check the imports of a checkout against its contracts."""
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as run; run()",
            "--no-cache",
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stderr == ""
    return process.returncode, process.stdout


def test_imports_go_down_only() -> None:
    status, output = lint(ROOT)
    assert "0 broken" in output
    assert status == 0


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("detectors/scan.py", "analyzer.parsers.tsv"),
        ("parsers/header.py", "analyzer.detectors.scan"),
        ("writers/jsonl.py", "analyzer.engine"),
        ("records.py", "analyzer.findings"),
        ("features.py", "duckdb"),
        ("pipeline.py", "rich"),
        ("checking.py", "analyzer"),
        ("unplaced.py", "analyzer.errors"),
    ],
)
def test_contracts_notice(tmp_path: Path, module: str, imported: str) -> None:
    shutil.copy(ROOT / ".importlinter", tmp_path)
    copied = tmp_path / "analyzer"
    shutil.copytree(ROOT / "analyzer", copied, ignore=shutil.ignore_patterns("__pycache__"))
    with (copied / module).open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")
    status, output = lint(tmp_path)
    assert " BROKEN" in output
    assert status == 1
    assert module.removesuffix(".py").replace("/", ".") in output


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "analyzer" / "detectors").glob("*.py")), ROOT / "analyzer" / "features.py"],
    ids=lambda file: file.stem,
)
def test_detectors_speak_no_sql(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert [line for line in lines if SQL.search(line)] == []

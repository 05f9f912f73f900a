"""The baseline commands: what they print, where, and with which status."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.baseline.file import read_baseline
from tests.test_cli import Run, run
from tests.traffic import office

__all__ = ["run"]  # the fixture


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    office(1, hosts=17, days=0.1).write(directory)
    return directory


def test_learn(run: Run, logs: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline"
    words = ("baseline", "learn", logs, "--baseline", file, "--unprotected")
    said = run(*words, "--window", "7d")
    assert (said.status, said.out) == (0, "")
    assert said.err.startswith("Learned ")
    assert read_baseline(file).window == 7
    again = run(*words)
    assert (again.status, again.out) == (0, "")
    assert again.err.startswith("Learned nothing new\n")
    quiet = run(*words, "-q")
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")


def test_learn_with_a_key(run: Run, logs: Path, tmp_path: Path) -> None:
    key, file = tmp_path / "key", tmp_path / "baseline"
    key.write_text("k" * 32 + "\n", "utf-8")
    words = ("baseline", "learn", logs, "--baseline", file, "--unprotected", "--key-file", key)
    assert run(*words, "--anonymise").status == 0
    assert read_baseline(file).key_check
    assert run(*words).err.startswith("Learned nothing new\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--window", "30"), "'30' is no window: expected days such as 30d"),
        (("--window", "0d"), "'0d' is no window"),
        (("--window", "9999d"), "window of 9999 days: expected 1 to 3660"),
        (("--from", "2026-01-20", "--to", "2026-01-19"), "--from must be before --to"),
        (("--anonymise",), "give a key file, too"),
        (("--key-file", "gone"), "gone: cannot be read"),
        (("--memory-limit", "x"), "memory limit 'x'"),
    ],
)
def test_complaints(
    run: Run, logs: Path, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    file = tmp_path / "baseline"
    said = run("baseline", "learn", logs, "--baseline", file, *words)
    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
    assert not file.exists()

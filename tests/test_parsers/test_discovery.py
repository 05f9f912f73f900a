"""What inputs there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.parsers import discovery
from analyzer.parsers.discovery import discover, input_size, paths_of


def names(top: Path, *paths: str) -> list[str]:
    found = discover([top / path for path in paths])
    return [os.path.relpath(source.name, top) for source in found]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name in (
        "conn.log",
        "2024-01-15/conn.13:00:00-14:00:00-logger-1.log.gz",
        "2024-01-15/deep/er/dns.log",
        ".hidden.log",
        ".git/conn.log",
        "a[1].log",
        "a*b.log",
        'it\'s "so".log',
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("12345")
    return tmp_path


def test_directory_is_searched_in_order(logs: Path) -> None:
    assert names(logs, "") == [
        "a*b.log",
        "a[1].log",
        "conn.log",
        'it\'s "so".log',
        "2024-01-15/conn.13:00:00-14:00:00-logger-1.log.gz",
        "2024-01-15/deep/er/dns.log",
    ]
    assert not any(source.named for source in discover([logs]))


def test_names_that_look_like_patterns(logs: Path) -> None:
    for name in ("a[1].log", "a*b.log", 'it\'s "so".log'):
        assert names(logs, name) == [name]


def test_patterns(logs: Path) -> None:
    assert names(logs, "*.log") == ["a*b.log", "a[1].log", "conn.log", 'it\'s "so".log']
    assert names(logs, "2024-*") == [
        "2024-01-15/conn.13:00:00-14:00:00-logger-1.log.gz",
        "2024-01-15/deep/er/dns.log",
    ]
    assert names(logs, "**/dns.log") == ["2024-01-15/deep/er/dns.log"]
    assert names(logs, "**nn.log") == ["conn.log"]
    assert names(logs, "co**") == ["conn.log"]
    assert names(logs, ".hid*") == [".hidden.log"]
    assert names(logs, "2024-*/../conn.*") == ["conn.log"]


def test_relative_pattern(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(logs / "2024-01-15")
    assert [source.name for source in discover(["../c*.log"])] == ["../conn.log"]
    assert [source.name for source in discover(["deep/*/*.log"])] == ["deep/er/dns.log"]


def test_each_file_once(logs: Path) -> None:
    (logs / "current").symlink_to(logs / "2024-01-15")
    (logs / "link.log").symlink_to(logs / "conn.log")
    (logs / "hard.log").hardlink_to(logs / "conn.log")
    found = names(logs, "conn.log", "", "conn.log", "*.log")
    assert len(found) == 6
    assert found[0] == "conn.log"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent.log", "no such file or directory"),
        ("absent*.log", "no file matches"),
        ("a\0b", "no such file or directory"),
        ("a*\0b", "no file matches"),
        ("n" * 300, "no such file or directory"),
        ("n" * 300 + "*", "no file matches"),
        ("[", "no file matches"),
        ("dangling.log", "no such file or directory"),
        ("dang*", "no file matches"),
        ("fifo*", "no file matches"),
    ],
)
def test_nothing_there(logs: Path, path: str, message: str) -> None:
    (logs / "dangling.log").symlink_to(logs / "nowhere")
    os.mkfifo(logs / "fifo.log")
    with pytest.raises(InputError) as raised:
        discover([logs / path])
    assert raised.value.message == message


def test_what_is_no_file_is_left_out(logs: Path) -> None:
    (logs / "dangling.log").symlink_to(logs / "nowhere")
    (logs / "self.log").symlink_to(logs / "self.log")
    os.mkfifo(logs / "fifo.log")
    for name in ("round", "2024-01-15/round", "2024-01-15/deep/about"):
        (logs / name).symlink_to(logs)
    assert len(names(logs, "")) == 6
    assert names(logs, "**/conn*") == [
        "2024-01-15/conn.13:00:00-14:00:00-logger-1.log.gz",
        "conn.log",
    ]


def test_file_that_vanishes_meanwhile_is_an_input(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_walk", lambda top: iter([top / "gone.log"]))
    assert names(logs, "") == ["gone.log"]
    assert input_size([logs]) == 0


def test_directory_that_does_not_open_is_an_input(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def closed(path: str) -> object:
        if path.endswith("deep"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    assert names(logs, "2024-01-15")[-1] == "2024-01-15/deep"


def test_standard_input(logs: Path) -> None:
    (source,) = discover(["-"])
    assert (source.name, source.path, source.named) == ("<stdin>", None, True)
    assert input_size([logs, "-"]) == 0
    assert input_size([logs, logs / "conn.log"]) == 30


def test_one_path_or_several() -> None:
    assert paths_of("a") == ["a"]
    assert paths_of(Path("a")) == [Path("a")]
    several: list[str | os.PathLike[str]] = ["a", Path("b")]
    assert paths_of(iter(several)) == several

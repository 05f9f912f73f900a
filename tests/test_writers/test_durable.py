"""Appending all or nothing, finding whole lines, and claims."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.errors import OutputError
from analyzer.writers import durable
from analyzer.writers.durable import (
    append_whole,
    claim,
    cut,
    last_line,
    refuse_claimed,
    sync,
    whole_lines,
)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond a size, as on a disk with so much room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_all_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    with opened(path) as descriptor:
        append_whole(descriptor, b"two\n")
        cut(descriptor, 6)
        sync(tmp_path)
    assert path.read_bytes() == b"one\ntw"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    with opened(path) as descriptor, room_for(6):
        with pytest.raises(OSError, match="File too large"):
            append_whole(descriptor, b"two\n")
        assert path.read_bytes() == b"one\n"
        append_whole(descriptor, b"t\n")
    assert path.read_bytes() == b"one\nt\n"


@given(st.binary(max_size=40).map(lambda content: content.replace(b"0", b"\n")))
@example(b"")
@example(b"\n\n")
@example(b"one\ntwo")
def test_whole_lines_are_found_whatever_the_block(content: bytes) -> None:
    descriptor = os.memfd_create("log")
    block = durable._BLOCK
    try:
        durable._BLOCK = 3
        os.write(descriptor, content)
        whole = content[: content.rfind(b"\n") + 1]
        assert whole_lines(descriptor) == len(whole)
        cut(descriptor, len(whole))
        assert last_line(descriptor) == (whole.split(b"\n")[-2] if whole else b"")
    finally:
        durable._BLOCK = block
        os.close(descriptor)


def test_a_claim_is_one_process_s(tmp_path: Path) -> None:
    log = tmp_path / "notice.log"
    refuse_claimed(log)
    refuse_claimed(tmp_path / "none" / "notice.log")
    held = claim(log)
    with pytest.raises(OutputError, match="another zeek-analyzer is writing it"):
        claim(log)
    with pytest.raises(OutputError, match="another zeek-analyzer is writing it"):
        refuse_claimed(log)
    # Another log in the same directory is another's.
    os.close(claim(tmp_path / "findings.jsonl"))
    os.close(held)
    refuse_claimed(log)
    os.close(claim(log))


def test_a_claim_dies_with_its_process(tmp_path: Path) -> None:
    log = tmp_path / "notice.log"
    program = (
        "import sys, time; from pathlib import Path; from analyzer.writers.durable import claim\n"
        "claim(Path(sys.argv[1])); print('claimed', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-c", program, str(log)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"claimed\n"
        with pytest.raises(OutputError):
            claim(log)
        process.kill()
    os.close(claim(log))


def test_what_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    sync(tmp_path)
    (tmp_path / "a").touch()
    sync(tmp_path / "a")
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "none")

"""What captures start with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from analyzer.parsers.pcap.magic import is_capture, is_classic, is_pcapng


@pytest.mark.parametrize(
    ("head", "classic", "pcapng"),
    [
        ("d4c3b2a1", True, False),
        ("a1b2c3d4", True, False),
        ("4d3cb2a1", True, False),
        ("a1b23c4d", True, False),
        ("34cdb2a1", True, False),
        ("a1b2cd34", True, False),
        ("a1b2c3d5", False, False),
        ("d4c3b2", False, False),
        ("0a0d0d0a1c0000004d3c2b1a", False, True),
        ("0a0d0d0a0000001c1a2b3c4d", False, True),
        ("0a0d0d0a0000001c", False, False),
        ("0a0d0d0a0000001c00000000", False, False),
        ("", False, False),
    ],
)
def test_by_the_first_bytes(head: str, classic: bool, pcapng: bool) -> None:  # noqa: FBT001
    data = bytes.fromhex(head)
    assert (is_classic(data), is_pcapng(data)) == (classic, pcapng)
    assert is_capture(data) == (classic or pcapng)


def test_telling_loads_no_compiler() -> None:
    program = "import analyzer.parsers, sys; sys.exit('numba' in sys.modules)"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own

"""Numbers in network order: every bit in its place."""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.network_order import read16, read32, read64

DATA = np.array([0, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10], np.uint8)


def test_numbers() -> None:
    assert read16(DATA, 0) == 0x00FE
    assert read16(DATA, 7) == 0x3210
    assert read32(DATA, 1) == 0xFEDCBA98
    assert read64(DATA, 0) == 0x00FEDCBA98765432


def test_the_highest_bit_makes_64_bits_negative() -> None:
    assert read64(DATA, 1) == 0xFEDCBA9876543210 - 2**64

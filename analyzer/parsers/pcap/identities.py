"""Identities as Zeek writes them: 96 bits in base 62 (src/UID.cc)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_DIGITS = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)
_LOW_DIGITS, _HIGH_DIGITS = 11, 6
"""Base-62 digits of 64 and of 32 bits."""

LENGTH = 1 + _LOW_DIGITS + _HIGH_DIGITS
"""Characters of an identity: ``C`` and the digits."""


def identity_texts(
    high: npt.NDArray[np.uint32], low: npt.NDArray[np.uint64]
) -> npt.NDArray[np.bytes_]:
    """``C`` and 17 characters for each identity, of its upper 32 and its lower 64 bits."""
    texts = np.empty((low.size, LENGTH), np.uint8)
    texts[:, 0] = ord("C")
    for numbers, first, last in (
        (low, 1, _LOW_DIGITS),
        (high.astype(np.uint64), 1 + _LOW_DIGITS, LENGTH - 1),
    ):
        rest = numbers
        for place in range(last, first - 1, -1):
            rest, digit = np.divmod(rest, np.uint64(_DIGITS.size))
            texts[:, place] = _DIGITS[digit]
    return texts.reshape(-1).view(f"S{LENGTH}")

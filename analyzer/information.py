"""How much information names can carry that are asked for one after another.

A name is worth at most its length times the entropy of its characters. Taken from the name itself
(Ozery, Nadler and Shabtai, "Information-Based Heavy Hitters for Real-Time DNS Data Exfiltration
Detection", NDSS 2024) that entropy is bounded by the name, not by the alphabet: 16 characters show
at most log2(16) = 4 bits each, though base32 carries 5. So it is taken from the characters of all
names of a group. Labels that come back (a fixed part of every name, words out of a list) carry no
more than the choice among the labels seen, as in dictionary coding (Ziv and Lempel, "Compression of
individual sequences via variable-rate coding", IEEE Transactions on Information Theory 24, 1978).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Characters counted in one go, so that the indices stay small.
_PORTION = 1 << 20


def information(
    texts: Sequence[str], groups: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.float64]:
    """Bytes that each text can carry beside those before it in its group.

    A label (what stands between dots) that is new to its group is worth its length in octets times
    the entropy of the octets of all new labels of the group; one that came before the logarithm of
    how many there are, and no more than if it were new.

    Args:
        texts: names without the domain, in the order in which they were asked for; octets that are
            no UTF-8 as surrogates (PEP 383).
        groups: the group of each text, counted from 0.
    """
    split = [text.split(".") for text in texts]
    row = np.repeat(np.arange(len(split)), [len(labels) for labels in split])
    label = [part.encode("utf-8", "surrogateescape") for labels in split for part in labels]
    group = groups[row]
    is_new = ~pd.DataFrame({"group": group, "label": label}).duplicated().to_numpy()
    length = np.fromiter(map(len, label), np.int64, len(label))
    count = int(groups.max(initial=-1)) + 1
    bits = _entropy(list(compress(label, is_new)), group[is_new], count)[group] * length
    choice = np.log2(np.maximum(np.bincount(group[is_new], minlength=count), 1))[group]
    worth = np.where(is_new, bits, np.minimum(bits, choice))
    carried: npt.NDArray[np.float64] = np.bincount(row, weights=worth, minlength=len(split)) / 8
    return carried


def _entropy(
    labels: list[bytes], groups: npt.NDArray[np.integer[Any]], count: int
) -> npt.NDArray[np.float64]:
    """Bits an octet of each group's labels, without the bias of a small sample.

    Miller, "Note on the bias of information estimates" (1955): counting understates the entropy by
    (kinds - 1) / (2 n ln 2) bits. No octet is worth more than a choice among the kinds seen.
    """
    octets = np.frombuffer(b"".join(labels), np.uint8)
    owner = np.repeat(groups, [len(label) for label in labels])
    counts = np.zeros(count * 256, np.int64)
    for start in range(0, octets.size, _PORTION):
        part = slice(start, start + _PORTION)
        counts += np.bincount(owner[part] * 256 + octets[part], minlength=counts.size)
    table = counts.reshape(count, 256)
    total, kinds = table.sum(axis=1), (table > 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = table / total[:, None]
        counted = -np.where(table > 0, share * np.log2(share), 0.0).sum(axis=1)
        unbiased = counted + (kinds - 1) / (2 * math.log(2) * total)
        result: npt.NDArray[np.float64] = np.minimum(unbiased, np.log2(kinds))
    return np.where(total > 0, result, 0.0)

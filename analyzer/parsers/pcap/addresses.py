"""Addresses as texts, each distinct one made once."""

from __future__ import annotations

import socket

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.parsers.pcap.batches import Halves

_MAPPED = np.uint64(0xFFFF)
"""Bits 32 to 47 of an IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2); those above are 0."""

_HALF = np.dtype(">u8")


def address_texts(high: Halves, low: Halves) -> pa.DictionaryArray:
    """Addresses as Zeek writes them: IPv4 dotted, IPv6 as ``inet_ntop`` does (RFC 5952).

    Args:
        high: upper 64 bits of each; IPv4 is mapped, as ``::ffff:a.b.c.d``.
        low: lower 64 bits.

    Returns:
        Texts, encoded by a dictionary.
    """
    mapped = (high == 0) & (low >> np.uint64(32) == _MAPPED)
    indices = np.empty(len(high), np.int32)
    short, indices[mapped] = np.unique(
        (low[mapped] & np.uint64(0xFFFFFFFF)).astype(np.uint32), return_inverse=True
    )
    texts = _dotted(short)
    if not mapped.all():
        pairs = np.stack([high[~mapped], low[~mapped]], axis=1)
        long, inverse = np.unique(pairs, axis=0, return_inverse=True)
        indices[~mapped] = inverse.reshape(-1) + len(short)
        packed = long.astype(_HALF).tobytes()
        colons = [
            socket.inet_ntop(socket.AF_INET6, packed[start : start + 16])
            for start in range(0, len(packed), 16)
        ]
        texts = pa.concat_arrays([texts, pa.array(colons, pa.string())])
    return pa.DictionaryArray.from_arrays(indices, texts)


def _dotted(addresses: np.typing.NDArray[np.uint32]) -> pa.Array:
    octets = [
        pc.cast(pa.array((addresses >> np.uint32(shift)) & np.uint32(255)), pa.string())
        for shift in (24, 16, 8, 0)
    ]
    return pc.binary_join_element_wise(*octets, ".")

"""NetBIOS names, as DNS messages to NetBIOS name services have them.

Sources: RFC 1001 section 14.1, and Zeek's ``decode_netbios_name`` in
``src/analyzer/protocol/netbios/functions.bif``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Bytes, Counts

_ENCODED, _DECODED = 32, 16
_A, _P, _CASE = ord("A"), ord("P"), ord("a") - ord("A")
_SPACE, _DEL, _MARKS = 32, 127, 3


def decode_netbios_names(
    content: Bytes, ends: Counts, encoded: npt.NDArray[np.bool_]
) -> tuple[Bytes, Counts]:
    """Texts in which encoded NetBIOS names are replaced by what they encode.

    Two letters are a character, and the 16th character is a suffix that does not belong to the
    name. It ends before the first character that is not to be printed, and without spaces and
    zeros. What is no such name stays, and so does one that encodes nothing.

    Args:
        content: the texts, one after the other.
        ends: where each of them ends.
        encoded: which of them are asked of a NetBIOS name service.
    """
    lengths = np.diff(ends, prepend=0)
    which = np.flatnonzero(encoded & (lengths == _ENCODED))
    if not len(which):
        return content, ends
    places = ends[which, None] - _ENCODED + np.arange(_ENCODED)
    letters = content[places].astype(np.int64)
    letters -= _CASE * (letters >= ord("a"))
    fine = (letters >= _A) & (letters <= _P)
    letters -= _A
    characters = (letters[:, 0::2] << 4) + letters[:, 1::2]
    # What comes after a character that is not to be printed is not looked at.
    plain = ((characters >= _SPACE) & (characters < _DEL)) | (characters < _MARKS)
    seen = np.logical_and.accumulate(plain, axis=1)
    looked_at = np.roll(seen, 1, axis=1)
    looked_at[:, 0] = True
    is_name = (fine[:, 0::2] & fine[:, 1::2] | ~looked_at).all(axis=1)
    counts = seen[:, : _DECODED - 1] & (characters[:, : _DECODED - 1] != _SPACE)
    counts &= characters[:, : _DECODED - 1] != 0
    sizes = np.where(counts, np.arange(1, _DECODED), 0).max(axis=1)
    decoded = is_name & (sizes > 0)
    which, places, sizes = which[decoded], places[decoded], sizes[decoded]
    content = content.copy()
    content[places[:, :_DECODED]] = characters[decoded]
    left = np.ones(len(content), np.bool_)
    left[places] = np.arange(_ENCODED) < sizes[:, None]
    lengths[which] = sizes
    return content[left], np.cumsum(lengths)

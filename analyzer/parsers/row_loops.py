"""Rows of separated values, split and read by compiled loops.

The loops know the form in which Zeek writes values and nothing else. A line that they do not
understand in every column they need is odd: it is given back untouched, for those who can say what
is wrong with it, or read it all the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analyzer.parsers.blocks import LINE_LIMIT
from analyzer.parsers.pcap.compiled import compiled

Integers = npt.NDArray[np.int64]
Offsets = npt.NDArray[np.int32]
Octets = npt.NDArray[np.uint8]

SKIPPED, TIME, COUNT, PORT, FLAG, PLAIN, FREE = range(7)
"""What to make of a column: nothing; microseconds; a number; a port; T or F; text; text that is odd
where it holds an escape."""

NULL = np.iinfo(np.int64).min
"""A number that is unset."""

UNSET_TEXT = -1
"""The length of a text that is unset."""

# Counts in so many digits fit the limits of validation.py, and microseconds up to so many seconds
# are whole numbers as floats.
_FRACTION_DIGITS, _COUNT_DIGITS, _MOST_SECONDS = 6, 15, 9_000_000_000
_MICROSECONDS = 1_000_000
_MOST_PORT = 65_535

_LINE_FEED, _POINT, _ZERO, _NINE = 10, 46, 48, 57
_HASH, _BACKSLASH, _SPACE, _DELETE = 35, 92, 32, 127
_FALSE, _TRUE = 70, 84


@compiled
def _number(data: Octets, start: int, end: int, kind: int) -> int:
    """The number that a text stands for, in microseconds for a time; NULL if it is none."""
    if kind == FLAG:
        if end - start != 1:
            return NULL
        return 1 if data[start] == _TRUE else 0 if data[start] == _FALSE else NULL
    whole, digits, position = 0, 0, start
    while position < end and _ZERO <= data[position] <= _NINE:
        whole = whole * 10 + int(data[position]) - _ZERO
        digits += 1
        position += 1
        if digits > _COUNT_DIGITS:
            return NULL
    if digits == 0:
        return NULL
    if kind != TIME:
        if position < end or (kind == PORT and whole > _MOST_PORT):
            return NULL
        return whole
    if whole > _MOST_SECONDS:
        return NULL
    fraction, places = 0, 0
    if position < end:
        if data[position] != _POINT or end - position < 2:
            return NULL
        position += 1
        while position < end:
            if places == _FRACTION_DIGITS or not _ZERO <= data[position] <= _NINE:
                return NULL
            fraction = fraction * 10 + int(data[position]) - _ZERO
            places += 1
            position += 1
    while places < _FRACTION_DIGITS:
        fraction *= 10
        places += 1
    return whole * _MICROSECONDS + fraction


@compiled
def _is_odd_text(data: Octets, start: int, end: int, kind: int) -> bool:
    """Whether a text has characters that only a closer look can deal with."""
    for position in range(start, end):
        octet = data[position]
        if octet < _SPACE or octet >= _DELETE or (kind == FREE and octet == _BACKSLASH):
            return True
    return False


@compiled
def _is_same(data: Octets, start: int, end: int, text: Octets) -> bool:
    if end - start != text.size:
        return False
    for index in range(text.size):  # noqa: SIM110 - this is compiled
        if data[start + index] != text[index]:
            return False
    return True


@compiled
def split_rows(
    data: Octets,
    separator: int,
    unset: Octets,
    empty: Octets,
    kinds: Integers,
    slots: Integers,
    needed: npt.NDArray[np.bool_],
    numbers: Integers,
    starts: Offsets,
    lengths: Offsets,
    lines: Offsets,
    odd: Offsets,
) -> tuple[int, int, int]:
    """Split rows and read their values.

    Args:
        data: whole lines, the last one with its line feed.
        separator: the octet between columns.
        unset: the text that stands for null.
        empty: the text that stands for an empty string.
        kinds: what to make of each column.
        slots: which row of `numbers`, or of `starts` and `lengths`, a column's values go to.
        needed: the columns without which a row is no record.
        numbers: numbers of each row, a row of this matrix a slot.
        starts: where in `data` texts begin, likewise.
        lengths: how long they are, likewise.
        lines: number (from 0), beginning and end of each row's line.
        odd: number, beginning and end of each odd line.

    Returns:
        How many rows were read, how many lines are odd, how many lines there are.
    """
    columns = kinds.size
    position, line, rows, odd_lines = 0, 0, 0, 0
    while position < data.size:
        begin, column = position, 0
        good = data[position] != _HASH
        while True:
            start = position
            while data[position] != separator and data[position] != _LINE_FEED:
                position += 1
            if column < columns and good and kinds[column] != SKIPPED:
                kind, slot = kinds[column], slots[column]
                is_unset = _is_same(data, start, position, unset)
                if is_unset and needed[column]:
                    good = False
                elif kind >= PLAIN:
                    starts[slot, rows] = start
                    lengths[slot, rows] = UNSET_TEXT if is_unset else position - start
                    if _is_odd_text(data, start, position, kind):
                        good = False
                    if kind == PLAIN and _is_same(data, start, position, empty):
                        good = False
                elif is_unset:
                    numbers[slot, rows] = NULL
                else:
                    value = _number(data, start, position, kind)
                    numbers[slot, rows] = value
                    good = value != NULL
            column += 1
            position += 1
            if data[position - 1] == _LINE_FEED:
                break
        if good and column == columns and position - begin - 1 <= LINE_LIMIT:
            lines[0, rows] = line
            lines[1, rows] = begin
            lines[2, rows] = position
            rows += 1
        else:
            odd[0, odd_lines] = line
            odd[1, odd_lines] = begin
            odd[2, odd_lines] = position
            odd_lines += 1
        line += 1
    return rows, odd_lines, line


_OFFSET_BASIS, _PRIME = np.uint64(14_695_981_039_346_656_037), np.uint64(1_099_511_628_211)


@compiled
def distinct_rows(
    data: Octets,
    starts: Offsets,
    lengths: Offsets,
    slots: Integers,
    keys: Integers,
    table: Offsets,
    kinds: Offsets,
    examples: Offsets,
) -> int:
    """Tell apart the kinds of rows there are, by some of their texts and a number.

    Args:
        data: where the texts are.
        starts: where each text begins, a row a slot.
        lengths: how long it is.
        slots: which slots count.
        keys: the number of each row.
        table: room for a hash table, all -1; a power of 2 larger than the number of rows.
        kinds: the kind of each row, filled in.
        examples: a row of each kind, filled in.

    Returns:
        How many kinds there are.
    """
    found = 0
    mask = np.uint64(table.size - 1)
    for row in range(keys.size):
        # FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/).
        hashed = (_OFFSET_BASIS ^ np.uint64(keys[row])) * _PRIME
        for slot in slots:
            hashed = (hashed ^ np.uint64(lengths[slot, row] + 1)) * _PRIME
            for place in range(starts[slot, row], starts[slot, row] + lengths[slot, row]):
                hashed = (hashed ^ np.uint64(data[place])) * _PRIME
        # The low bits of a product depend on the low bits of its factors only.
        entry = np.int64((hashed ^ (hashed >> np.uint64(32))) & mask)
        while table[entry] >= 0 and not _is_like(
            data, starts, lengths, slots, keys, row, examples[table[entry]]
        ):
            entry = np.int64((np.uint64(entry) + np.uint64(1)) & mask)
        if table[entry] < 0:
            table[entry] = found
            examples[found] = row
            found += 1
        kinds[row] = table[entry]
    return found


@compiled
def _is_like(
    data: Octets,
    starts: Offsets,
    lengths: Offsets,
    slots: Integers,
    keys: Integers,
    one: int,
    other: int,
) -> bool:
    if keys[one] != keys[other]:
        return False
    for slot in slots:
        if lengths[slot, one] != lengths[slot, other]:
            return False
        for index in range(lengths[slot, one]):
            if data[starts[slot, one] + index] != data[starts[slot, other] + index]:
                return False
    return True


@compiled
def gather(
    data: Octets, starts: Offsets, lengths: Offsets, offsets: Offsets, gathered: Octets
) -> None:
    """Put texts one behind the other.

    Args:
        data: where they are.
        starts: where each begins.
        lengths: how long it is; below 0 for none.
        offsets: where each goes in `gathered`, and the end.
        gathered: filled in.
    """
    for row in range(starts.size):
        to = offsets[row]
        for index in range(lengths[row]):
            gathered[to + index] = data[starts[row] + index]

"""Rows of dns.log, made of finished transactions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analyzer.parsers.pcap.batches import Bytes, Counts
from analyzer.parsers.pcap.canonical_text import canonical_texts
from analyzer.parsers.pcap.dns_answers import NAME_ALONE, answer_texts
from analyzer.parsers.pcap.dns_messages import (
    ANSWER,
    ON_NETBIOS,
    TO_NETBIOS,
    Messages,
    find_answers,
)
from analyzer.parsers.pcap.dns_names import (
    class_names,
    opcode_names,
    query_type_names,
    response_code_names,
)
from analyzer.parsers.pcap.dns_queues import TRANSACTION
from analyzer.parsers.pcap.dns_records import Records
from analyzer.parsers.pcap.netbios_names import decode_netbios_names

_CHUNK_BYTES = 1 << 20
"""Bytes of responses in a chunk of rows. A record of 14 bytes can say two long names, and what is
no UTF-8 takes four times the room: a chunk has some 300 MiB at most, and Arrow allows 2 GiB."""

_CHUNK_ROWS = 1 << 20
"""Rows of a chunk: their names take less than that."""


@dataclass(frozen=True, slots=True)
class DnsRows:
    r"""DNS transactions that finished.

    Attributes:
        slots: the connection of each, by its slot in the connection table.
        columns: the columns of dns.log for them except those that the connection tells (uid,
            endpoints, proto), in the order of :data:`analyzer.records.DNS`. Bytes in texts that are
            no UTF-8 stand there as ``\xhh`` (:mod:`analyzer.zeek_format`).
        confirmed: slots of connections that Zeek has come to confirm as DNS, in order of time.
        withdrawn: slots of those confirmed before that Zeek has given up on.
    """

    slots: Counts
    columns: pa.Table
    confirmed: Counts
    withdrawn: Counts


def table_of(data: Bytes, rows: Records) -> pa.Table:
    """The columns that :class:`DnsRows` has.

    Args:
        data: the bytes that hold the messages of the transactions.
        rows: the transactions, :data:`~.dns_queues.TRANSACTION`.
    """
    answered = rows["response_name"] >= 0
    sizes = np.where(answered, rows["response_end"] - rows["response"], 0)
    filled = np.cumsum(sizes) // _CHUNK_BYTES
    borders = np.union1d(
        np.flatnonzero(np.diff(filled)) + 1, np.arange(0, len(rows), _CHUNK_ROWS)
    ).astype(np.int64)
    ends = [*borders[1:].tolist(), len(rows)]
    chunks = [
        _chunk(data, rows[start:end]) for start, end in zip(borders.tolist(), ends, strict=False)
    ]
    return pa.concat_tables(chunks) if chunks else _no_rows()


@cache
def _no_rows() -> pa.Table:
    """The same columns without rows, which many a batch has."""
    return _chunk(np.empty(0, np.uint8), np.empty(0, TRANSACTION))


def _chunk(data: Bytes, rows: Records) -> pa.Table:
    """A table of so many rows that 32 bits are enough for offsets."""

    def number(name: str, unset: npt.NDArray[np.bool_] | None = None) -> pa.Array:
        return pa.array(np.ascontiguousarray(rows[name]), mask=unset)

    def flag(name: str) -> pa.BooleanArray:
        return pa.array(rows[name] == 1)

    no_type, no_code = rows["type"] < 0, rows["response_code"] < 0
    answers, lifetimes = _answers(data, rows)
    return pa.table(
        {
            "ts": number("started"),
            "trans_id": number("identity"),
            "rtt": number("round_trip", np.isnan(rows["round_trip"])),
            "query": _names(data, rows),
            "qclass": number("family", no_type),
            "qclass_name": class_names(rows["family"], no_type),
            "qtype": number("type", no_type),
            "qtype_name": query_type_names(
                rows["type"], no_type, netbios=rows["netbios"] & TO_NETBIOS != 0
            ),
            "rcode": number("response_code", no_code),
            "rcode_name": response_code_names(rows["response_code"], no_code),
            "AA": flag("authoritative"),
            "TC": flag("truncated"),
            "RD": flag("desired"),
            "RA": flag("available"),
            "Z": number("reserved"),
            "answers": answers,
            "TTLs": lifetimes,
            "rejected": flag("rejected"),
            "opcode": number("opcode"),
            "opcode_name": opcode_names(rows["opcode"], netbios=rows["netbios"] & ON_NETBIOS != 0),
        }
    )


def _answers(data: Bytes, rows: Records) -> tuple[pa.ListArray, pa.ListArray]:
    """The columns answers and TTLs, null where there are none."""
    answered = np.flatnonzero(rows["response_name"] >= 0)
    messages = Messages(
        data=data,
        starts=rows["response"][answered],
        ends=rows["response_end"][answered],
        netbios=rows["netbios"][answered].astype(np.uint8),
    )
    answers = find_answers(messages)
    content, ends = answer_texts(messages, answers)
    # An empty text only says when the answer came.
    said = np.flatnonzero(np.diff(ends, prepend=0) > 0)
    counts = np.zeros(len(rows), np.int64)
    counts[answered] = np.bincount(answers["message"][said], minlength=len(answered))
    layout = [_bitmap(counts > 0), _offsets(np.cumsum(counts))]
    texts = _texts(content, ends[said])
    lifetimes = pa.array(answers["lifetime"][said].astype(np.float64))
    return (
        pa.Array.from_buffers(pa.list_(pa.string()), len(rows), layout, children=[texts]),
        pa.Array.from_buffers(pa.list_(pa.float64()), len(rows), layout, children=[lifetimes]),
    )


def _names(data: Bytes, rows: Records) -> pa.StringArray:
    """The column query: the name asked for, or without a question that of the first answer."""
    asked = rows["query_name"] >= 0
    named = asked | (rows["response_name"] >= 0)
    which = np.flatnonzero(named)
    starts, ends, names = (
        np.where(asked, rows[f"query{part}"], rows[f"response{part}"])[which]
        for part in ("", "_end", "_name")
    )
    messages = Messages(data, starts, ends, rows["netbios"][which].astype(np.uint8))
    wanted = np.zeros(len(which), ANSWER)
    wanted["message"] = np.arange(len(which))
    wanted["part"] = NAME_ALONE
    wanted["data"] = names
    content, ends = answer_texts(messages, wanted)
    encoded = asked[which] & (messages.netbios & TO_NETBIOS != 0)
    content, ends = decode_netbios_names(content, ends, encoded)
    lengths = np.zeros(len(rows), np.int64)
    lengths[which] = np.diff(ends, prepend=0)
    return _texts(content, np.cumsum(lengths), _bitmap(named))


def _offsets(ends: Counts) -> pa.Buffer:
    """Arrow's offsets of things that end at `ends`."""
    return pa.py_buffer(np.concatenate(([0], ends)).astype(np.int32))


def _bitmap(valid: npt.NDArray[np.bool_]) -> pa.Buffer:
    """Arrow's validity bitmap."""
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def _texts(content: Bytes, ends: Counts, validity: pa.Buffer | None = None) -> pa.StringArray:
    """An array of texts."""
    content, ends = canonical_texts(content, ends)
    return pa.StringArray.from_buffers(
        len(ends), _offsets(ends), pa.py_buffer(content.copy()), validity
    )

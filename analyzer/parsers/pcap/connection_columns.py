"""What conn.log says of connections (Zeek scripts/base/protocols/conn/main.zeek)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzer.parsers.pcap.batches import Counts, Times
from analyzer.parsers.pcap.connection_state import (
    CLOSED,
    ESTABLISHED,
    FIN_SEEN,
    HISTORY_INLINE,
    INACTIVE,
    MIDSTREAM,
    RESET,
    SYN_ACK_SENT,
    SYN_SENT,
    TCP,
    UDP,
    Records,
)

_OPENED_AND_RESET = re.compile(rb"\^?S[^HAFGIQ]*R.*")


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of conn.log for some connections, a value for each.

    Attributes:
        durations: seconds from the first packet to the last that counts.
        has_duration: whether that is above zero; if not, conn.log leaves duration, orig_bytes and
            resp_bytes unset.
        orig_bytes: payload bytes of the originator, for TCP by sequence numbers.
        resp_bytes: likewise of the responder.
        conn_states: ``SF``, ``S0`` ...
        histories: letters, empty where conn.log leaves the field unset.
        missed_bytes: bytes acknowledged and never seen.
        orig_pkts: packets of the originator.
        orig_ip_bytes: bytes of its IP datagrams.
        resp_pkts: likewise of the responder.
        resp_ip_bytes: likewise.
    """

    durations: Times
    has_duration: npt.NDArray[np.bool_]
    orig_bytes: npt.NDArray[np.uint64]
    resp_bytes: npt.NDArray[np.uint64]
    conn_states: npt.NDArray[np.bytes_]
    histories: npt.NDArray[np.bytes_]
    missed_bytes: Counts
    orig_pkts: Counts
    orig_ip_bytes: Counts
    resp_pkts: Counts
    resp_ip_bytes: Counts


def connection_columns(
    connections: Records,
    originators: Records,
    responders: Records,
    long_histories: Mapping[int, bytearray],
) -> Columns:
    """Columns from the state of connections and of their two ends.

    Args:
        connections: one record a connection.
        originators: its originator.
        responders: its responder.
        long_histories: by serial number, the letters that had no room in the record.
    """
    is_tcp = connections["protocol"] == TCP
    sizes = [
        np.where(
            is_tcp,
            _stream_sizes(end, peer),
            np.maximum(end["payload_bytes"], 0).astype(np.uint64),
        )
        for end, peer in ((originators, responders), (responders, originators))
    ]
    durations = connections["last_time"] - connections["first_time"]
    histories = _histories(connections, long_histories)
    return Columns(
        durations=durations,
        has_duration=durations > 0,
        orig_bytes=sizes[0],
        resp_bytes=sizes[1],
        conn_states=_conn_states(connections, originators, responders, sizes, histories),
        histories=histories,
        missed_bytes=connections["missed_bytes"],
        orig_pkts=originators["packets"],
        orig_ip_bytes=originators["ip_bytes"],
        resp_pkts=responders["packets"],
        resp_ip_bytes=responders["ip_bytes"],
    )


def _stream_sizes(endpoints: Records, peers: Records) -> npt.NDArray[np.uint64]:
    """As :func:`~.reassembly.stream_size`, for many."""
    last = endpoints["last"] + (endpoints["last_wraps"].astype(np.int64) << 32)
    acknowledged = endpoints["acknowledged"] + (
        endpoints["acknowledged_wraps"].astype(np.int64) << 32
    )
    size = np.maximum(last, acknowledged) - endpoints["start"]
    size -= size != 0
    size -= (size != 0) & (endpoints["flags"] & FIN_SEEN != 0)
    ahead = acknowledged - endpoints["start"]
    aborted = (
        (endpoints["previous_state"] == SYN_SENT)
        & (endpoints["state"] == RESET)
        & (peers["state"] == INACTIVE)
        & (ahead != 0)
        & (ahead != 1)
    )
    # Zeek's are unsigned: one below zero is very large.
    return np.where(aborted, 0, size).astype(np.uint64)


def _histories(
    connections: Records, long_histories: Mapping[int, bytearray]
) -> npt.NDArray[np.bytes_]:
    letters = connections["history"].copy()
    lengths = connections["history_length"].astype(np.int64)
    letters[np.arange(HISTORY_INLINE) >= lengths[:, None]] = 0
    texts = letters.reshape(-1).view(f"S{HISTORY_INLINE}")
    long = np.flatnonzero(lengths > HISTORY_INLINE)
    if long.size:
        texts = texts.astype(f"S{lengths.max()}")
        for place in long.tolist():
            rest = long_histories[int(connections["serial"][place])]
            texts[place] = letters[place].tobytes() + bytes(rest)
    return texts


def _conn_states(
    connections: Records,
    originators: Records,
    responders: Records,
    sizes: list[npt.NDArray[np.uint64]],
    histories: npt.NDArray[np.bytes_],
) -> npt.NDArray[np.bytes_]:
    """Function conn_state of main.zeek; its order matters."""
    orig, resp = originators["state"], responders["state"]
    unheard = (INACTIVE, MIDSTREAM)
    orig_unheard, resp_unheard = np.isin(orig, unheard), np.isin(resp, unheard)
    opening = (orig == SYN_SENT) | (orig == SYN_ACK_SENT)
    no_bytes = (sizes[0] == 0) & (sizes[1] == 0)
    opened_and_reset = (orig == RESET) & resp_unheard & (resp != RESET)
    for place in np.flatnonzero(opened_and_reset).tolist():
        opened_and_reset[place] = _OPENED_AND_RESET.fullmatch(histories[place]) is not None
    tcp = np.select(
        [
            (resp == RESET) & (opening | ((orig == RESET) & no_bytes)),
            (resp == RESET) & orig_unheard,
            resp == RESET,
            opened_and_reset,
            (orig == RESET) & resp_unheard,
            orig == RESET,
            (orig == CLOSED) & (resp == CLOSED),
            (orig == CLOSED) & resp_unheard,
            orig == CLOSED,
            (resp == CLOSED) & orig_unheard,
            resp == CLOSED,
            (orig == SYN_SENT) & (resp == INACTIVE),
            (orig == ESTABLISHED) & (resp == ESTABLISHED),
        ],
        [
            b"REJ", b"RSTRH", b"RSTR", b"RSTOS0", b"OTH", b"RSTO", b"SF", b"SH", b"S2", b"SHR",
            b"S3", b"S0", b"S1",
        ],
        b"OTH",
    )  # fmt: skip
    sent = originators["payload_bytes"] >= 0
    answered = responders["payload_bytes"] >= 0
    udp = np.select([sent & answered, sent, answered], [b"SF", b"S0", b"SHR"], b"OTH")
    protocols = connections["protocol"]
    return np.select([protocols == TCP, protocols == UDP], [tcp, udp], b"OTH")

"""From recorded columns to tables with Zeek's columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.traffic import logs
from tests.traffic.records import (
    CONNECTION_COLUMNS,
    HANDSHAKE_COLUMNS,
    LOOKUP_COLUMNS,
    UNSET,
    Array,
    Batch,
    Vocabulary,
    concatenate,
)
from tests.traffic.resolution import QTYPE_NAMES, RCODE_NAMES

if TYPE_CHECKING:
    from tests.traffic.network import Network
    from tests.traffic.schedule import Window
    from tests.traffic.truth import Truth

_IP_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
_ICMP6 = 58


@dataclass
class Traffic:
    """Generated traffic: Zeek's conn, dns and ssl logs as tables, and the truth about its attacks.

    Rows stand in the order Zeek would log them. Unset values are missing values; vectors are
    tuples. `window` is the time asked for, in which every activity begins.
    """

    conn: pd.DataFrame
    dns: pd.DataFrame
    ssl: pd.DataFrame
    truth: list[Truth]
    window: Window

    def write(
        self,
        directory: str | Path,
        format: str = "tsv",  # noqa: A002
        compression: str | None = None,
        rotate: float | None = None,
    ) -> list[Path]:
        """Write conn, dns and ssl logs under `directory` and return the files' paths.

        `format` is "tsv" or "json", `compression` None or "gz". With `rotate` (seconds) the files
        are those of zeekctl's archive, `YYYY-MM-DD/conn.HH:MM:SS-HH:MM:SS.log`, one per period.
        """
        written: list[Path] = []
        for path, table in (("conn", self.conn), ("dns", self.dns), ("ssl", self.ssl)):
            written += logs.write(
                table,
                path,
                Path(directory),
                self.window,
                format=format,
                compression=compression,
                rotate=rotate,
            )
        return written


def _text(codes: Array, vocabulary: Vocabulary) -> pd.Series:
    known = pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes == UNSET), pa.array(vocabulary.texts, type=pa.large_string())
    )
    return pd.Series(pd.array(known.cast(pa.large_string()), dtype="str"))


def _identifiers(uid: Array) -> pd.Series:
    count = len(uid)
    offsets = pa.py_buffer(np.arange(0, 18 * count + 1, 18, dtype="i8"))
    data = pa.py_buffer(np.ascontiguousarray(uid))
    texts = pa.LargeStringArray.from_buffers(count, offsets, data)
    return pd.Series(pd.array(texts, dtype="str"))


def _counts(values: Array) -> pd.Series:
    return pd.Series(pd.arrays.IntegerArray(np.maximum(values, 0), values == UNSET))


def _constant(value: str | None, rows: int) -> pd.Series:
    texts = (
        pa.nulls(rows, pa.large_string())
        if value is None
        else pa.repeat(pa.scalar(value, pa.large_string()), rows)
    )
    return pd.Series(pd.array(texts, dtype="str"))


def _table(columns: dict[str, pd.Series | Array]) -> pd.DataFrame:
    return pd.DataFrame(columns, copy=False)


def _order(columns: Batch, until: Array) -> None:
    """Sort all columns in place by the time their row is logged."""
    order = np.argsort(until, kind="stable")
    for name in columns:
        columns[name] = columns[name][order]


def _endpoints(columns: Batch, network: Network) -> dict[str, pd.Series | Array]:
    return {
        "id.orig_h": _text(columns.pop("orig_h"), network.addresses),
        "id.orig_p": columns.pop("orig_p").astype("i8"),
        "id.resp_h": _text(columns.pop("resp_h"), network.addresses),
        "id.resp_p": columns.pop("resp_p").astype("i8"),
    }


def _conn(columns: Batch, network: Network) -> pd.DataFrame:
    texts = network.texts
    rows = len(columns["ts"])
    _order(columns, columns["ts"] + np.nan_to_num(columns["duration"]))
    local, ipv6 = network.addresses.local, network.addresses.ipv6
    number = np.zeros(len(texts.texts) + 1, dtype="i8")
    for name, value in _IP_PROTOCOLS.items():
        number[texts.code(name)] = value
    ip_proto = number[columns["proto"]]
    ip_proto[(ip_proto == _IP_PROTOCOLS["icmp"]) & ipv6[columns["orig_h"]]] = _ICMP6
    locality = {"local_orig": local[columns["orig_h"]], "local_resp": local[columns["resp_h"]]}
    return _table(
        {
            "ts": columns.pop("ts"),
            "uid": _identifiers(columns.pop("uid")),
            **_endpoints(columns, network),
            "proto": _text(columns.pop("proto"), texts),
            "service": _text(columns.pop("service"), texts),
            "duration": columns.pop("duration"),
            "orig_bytes": _counts(columns.pop("orig_bytes")),
            "resp_bytes": _counts(columns.pop("resp_bytes")),
            "conn_state": _text(columns.pop("conn_state"), texts),
            **locality,
            "missed_bytes": np.zeros(rows, dtype="i8"),
            "history": _text(columns.pop("history"), texts),
            "orig_pkts": columns.pop("orig_pkts").astype("i8"),
            "orig_ip_bytes": columns.pop("orig_ip_bytes"),
            "resp_pkts": columns.pop("resp_pkts").astype("i8"),
            "resp_ip_bytes": columns.pop("resp_ip_bytes"),
            "tunnel_parents": _constant(None, rows),
            "ip_proto": ip_proto,
        }
    )


def _vectors(codes: Array, values: list[tuple[str, ...]] | list[tuple[float, ...]]) -> pd.Series:
    known = np.empty(len(values) + 1, dtype=object)
    known[:-1] = np.fromiter(values, dtype=object, count=len(values))
    known[-1] = None
    return pd.Series(known[codes], dtype=object)


def _named(codes: Array, names: dict[int, str]) -> pd.Series:
    vocabulary = Vocabulary()
    table = np.full(max(names) + 2, UNSET)
    for code, name in names.items():
        table[code] = vocabulary.code(name)
    return _text(table[codes], vocabulary)


def _dns(columns: Batch, network: Network) -> pd.DataFrame:
    rows = len(columns["ts"])
    # A transaction is logged once answered; one that never is, when its connection is removed.
    _order(columns, columns["ts"] + np.where(np.isnan(columns["rtt"]), 0.0, columns["rtt"]))
    given = columns.pop("answers")
    return _table(
        {
            "ts": columns.pop("ts"),
            "uid": _identifiers(columns.pop("uid")),
            **_endpoints(columns, network),
            "proto": _constant("udp", rows),
            "trans_id": columns.pop("trans_id").astype("i8"),
            "rtt": columns.pop("rtt"),
            "query": _text(columns.pop("query"), network.texts),
            "qclass": np.ones(rows, dtype="i8"),
            "qclass_name": _constant("C_INTERNET", rows),
            "qtype": columns["qtype"].astype("i8"),
            "qtype_name": _named(columns.pop("qtype"), QTYPE_NAMES),
            "rcode": _counts(columns["rcode"].astype("i8")),
            "rcode_name": _named(columns.pop("rcode"), RCODE_NAMES),
            "AA": columns.pop("authoritative"),
            "TC": np.zeros(rows, dtype="?"),
            "RD": columns.pop("recursion_desired"),
            "RA": given != UNSET,
            "Z": np.zeros(rows, dtype="i8"),
            "answers": _vectors(given, network.answers.texts),
            "TTLs": _vectors(given, network.answers.ttls),
            "rejected": columns.pop("rejected"),
            "opcode": np.zeros(rows, dtype="i8"),
            "opcode_name": _constant("query", rows),
        }
    )


def _ssl(columns: Batch, network: Network) -> pd.DataFrame:
    rows = len(columns["ts"])
    _order(columns, columns["ts"])
    return _table(
        {
            "ts": columns.pop("ts"),
            "uid": _identifiers(columns.pop("uid")),
            **_endpoints(columns, network),
            "version": _constant("TLSv13", rows),
            "cipher": _constant("TLS_AES_128_GCM_SHA256", rows),
            "curve": _constant("x25519", rows),
            "server_name": _text(columns.pop("server_name"), network.texts),
            "resumed": columns.pop("resumed"),
            "last_alert": _constant(None, rows),
            "next_protocol": _constant(None, rows),
            "established": np.ones(rows, dtype="?"),
        }
    )


def frames(
    network: Network,
    connections: list[Batch],
    lookups: list[Batch],
    handshakes: list[Batch],
    truth: list[Truth],
) -> Traffic:
    """The tables of everything recorded; empties the lists to save memory."""
    dns = _dns(concatenate(LOOKUP_COLUMNS, lookups), network)
    ssl = _ssl(concatenate(HANDSHAKE_COLUMNS, handshakes), network)
    conn = _conn(concatenate(CONNECTION_COLUMNS, connections), network)
    return Traffic(conn, dns, ssl, truth, network.window)

"""Small batches of Zeek records as rows to score and as records to learn, without an engine.

Batches are data frames or Arrow tables with the columns of :data:`analyzer.records.CONN` (or
:data:`analyzer.records.DNS`); columns that are missing are unset. What is derived from them is what
:mod:`analyzer.derived` derives, worked out once for each combination that occurs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analyzer.baseline.bins import SHAPES, bin_of
from analyzer.baseline.histograms import Codes
from analyzer.derived import APPLICATIONS, FIRST_USER_PORT, UNKNOWN_TRANSPORT, condensed
from analyzer.features import HOUR
from analyzer.networks import LocalNetworks
from analyzer.records import CONN, DNS, HTTP, SSL, Column, Records

if TYPE_CHECKING:
    import ibis.expr.types as ir

Batch: TypeAlias = pd.DataFrame | pa.Table

_COLUMNS = {
    "bytes_out": "orig_bytes",
    "bytes_in": "resp_bytes",
    "duration": "duration",
    "packets_out": "orig_pkts",
}
_ANSWERED = frozenset({"SF", "S1", "S2", "S3", "RSTO"})
_UNANSWERED = frozenset({"S0", "REJ"})
_PROGRESS = frozenset("hdafD^")
_TRACEROUTE = range(33434, 33434 + 3 * 64 + 1)
_ICMP_REQUESTS = frozenset({8, 13, 15, 17, 128})
_GROUPS_V4 = tuple(f"{first}." for first in range(224, 240))
_MOST_PROTOCOLS = 255
_NAMES = dict(zip(APPLICATIONS, APPLICATIONS, strict=True))
_HOURS = 24


def connection_rows(batch: Batch, local: LocalNetworks) -> pd.DataFrame:
    """The requests of local hosts among connections, as rows to score.

    Args:
        batch: connections.
        local: tells local addresses from outside ones.

    Returns:
        :data:`analyzer.baseline.coding.ROW` with the index of the batch (its place in it), and the
        exact values beside it: ``orig_bytes resp_bytes lasted packets``.
    """
    kept, columns = connection_columns(batch, local)
    return pd.DataFrame(columns, index=kept)


def connection_columns(
    batch: Batch, local: LocalNetworks
) -> tuple[Codes, dict[str, npt.NDArray[Any]]]:
    """As :func:`connection_rows`, the index and the columns: a frame costs more than a score."""
    source, peer = _texts(batch, "orig_h"), _texts(batch, "resp_h")
    proto = _texts(batch, "proto")
    values = {metric: _numbers(batch, name) for metric, name in _COLUMNS.items()}
    resp_p, orig_p = _numbers(batch, "resp_p"), _numbers(batch, "orig_p")
    is_local = {each: local.is_local(each) for each in set(source) | set(peer)}
    asked = _requests(proto, orig_p, resp_p)
    asked &= _mapped(source, is_local) & ~_mapped(
        peer, {each: is_group(each) for each in set(peer)}
    )
    kept = np.flatnonzero(asked)
    ts = _numbers(batch, "ts")
    rows: dict[str, npt.NDArray[Any]] = {
        "source": source[kept],
        "peer": peer[kept],
        "proto": proto[kept],
        "port": _tried(proto, resp_p, _numbers(batch, "ip_proto"))[kept],
        "application": np.array(
            [_NAMES.get(each, APPLICATIONS[-1]) for each in _texts(batch, "service")[kept]],
            dtype=object,
        ),
        "outside": ~_mapped(peer[kept], is_local),
        "hour": ((ts // HOUR) % _HOURS)[kept].astype(np.int64),
        "answered": _answered(
            proto,
            _texts(batch, "conn_state"),
            _texts(batch, "history"),
            _numbers(batch, "resp_pkts"),
            values["bytes_in"],
        )[kept],
        "orig_bytes": values["bytes_out"][kept],
        "resp_bytes": values["bytes_in"][kept],
        "lasted": values["duration"][kept],
        "packets": values["packets_out"][kept],
    }
    rows |= {metric: bin_of(values[metric][kept], metric) for metric in SHAPES}
    return kept, rows


def is_group(address: str) -> bool:
    """Whether an address stands for many hosts, as :func:`analyzer.networks.is_group`."""
    return (
        address.startswith(_GROUPS_V4)
        or address[:2].lower() == "ff"
        or address.endswith(".255")
        or address == "0.0.0.0"  # noqa: S104 - compared, not bound
    )


def _column(batch: Batch, name: str) -> npt.NDArray[np.object_] | None:
    if isinstance(batch, pa.Table):
        if name not in batch.column_names:
            return None
        return np.asarray(batch[name].to_pandas())
    return batch[name].to_numpy() if name in batch else None


def _texts(batch: Batch, name: str) -> npt.NDArray[np.object_]:
    """A column of text, empty where it is unset."""
    values = _column(batch, name)
    result = np.full(len(batch), "", dtype=object)
    if values is not None:
        known = ~pd.isna(values)
        result[known] = values[known]
    return result


def _numbers(batch: Batch, name: str) -> npt.NDArray[np.float64]:
    """A column of numbers, nan where it is unset."""
    values = _column(batch, name)
    if values is None:
        return np.full(len(batch), np.nan)
    if values.dtype == object:
        return np.array([np.nan if pd.isna(each) else float(each) for each in values])
    return values.astype(float)


def _mapped(texts: npt.NDArray[np.object_], known: Mapping[str, bool]) -> npt.NDArray[np.bool_]:
    return np.fromiter((known[text] for text in texts), dtype=bool, count=len(texts))


def _requests(
    proto: npt.NDArray[np.object_],
    orig_p: npt.NDArray[np.float64],
    resp_p: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """As :func:`analyzer.derived.is_request`."""
    traceroute = (resp_p >= _TRACEROUTE[0]) & (resp_p <= _TRACEROUTE[-1])
    answer = (orig_p < FIRST_USER_PORT) & (resp_p >= FIRST_USER_PORT)
    udp, icmp = proto == "udp", proto == "icmp"
    asking = np.isin(orig_p, list(_ICMP_REQUESTS))
    result: npt.NDArray[np.bool_] = np.where(
        udp, ~(traceroute | answer), np.where(icmp, asking, True)
    )
    return result.astype(bool)


def _tried(
    proto: npt.NDArray[np.object_],
    resp_p: npt.NDArray[np.float64],
    ip_proto: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """As :func:`analyzer.derived.tried_port`."""
    port = np.where(proto == UNKNOWN_TRANSPORT, np.fmin(ip_proto, _MOST_PROTOCOLS), resp_p)
    port = np.where(proto == "icmp", 0.0, port)
    return np.nan_to_num(port).astype(np.int64)


def _answered(
    proto: npt.NDArray[np.object_],
    state: npt.NDArray[np.object_],
    history: npt.NDArray[np.object_],
    packets: npt.NDArray[np.float64],
    received: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """As :func:`analyzer.derived.is_answered`."""
    # What came back, or true where nothing is known of it.
    came = np.where(
        ~np.isnan(packets), packets > 0, np.where(~np.isnan(received), received > 0, True)
    )
    known: dict[tuple[str, str], bool | None] = {}
    result = np.empty(len(proto), dtype=bool)
    for place, (each, how) in enumerate(zip(state, history, strict=True)):
        if proto[place] != "tcp":
            result[place] = came[place]
            continue
        key = (each, how)
        if key not in known:
            known[key] = _tcp_answered(each, how)
        said = known[key]
        result[place] = came[place] if said is None else said
    return result


def _tcp_answered(state: str, history: str) -> bool | None:
    if state in _ANSWERED:
        return True
    if state in _UNANSWERED:
        return "^" in history
    return bool(_PROGRESS & set(history)) if history else None


def batch_records(
    conn: Batch | None, dns: Batch | None = None, local: LocalNetworks | None = None
) -> Records:
    """Batches as records, which :func:`analyzer.baseline.summary.summarise` takes.

    Args:
        conn: connections.
        dns: DNS transactions.
        local: tells local addresses from outside ones; private space is local by default.
    """
    tables = {
        "conn": _table(conn, CONN),
        "dns": _table(dns, DNS),
        "names": _table(None, (*SSL, *HTTP[1:])),
    }
    times = [table["ts"].drop_null() for table in (tables["conn"], tables["dns"])]
    every = np.concatenate([np.asarray(column, float) for column in times])

    def keep(rows: ir.Table | pa.Table, name: str) -> ir.Table:
        del name  # memory keeps it
        return ibis.memtable(rows if isinstance(rows, pa.Table) else rows.to_pyarrow())

    return Records(
        conn=ibis.memtable(condensed(ibis.memtable(tables["conn"])).to_pyarrow()),
        dns=ibis.memtable(tables["dns"]),
        server_names=ibis.memtable(tables["names"]),
        local=local or LocalNetworks(),
        first=float(every.min()) if every.size else None,
        last=float(every.max()) if every.size else None,
        counts={"conn": len(tables["conn"]), "dns": len(tables["dns"])},
        keep=keep,
    )


def _table(batch: Batch | None, columns: tuple[Column, ...]) -> pa.Table:
    schema = pa.schema([(each.name, _arrow_type(each)) for each in columns])
    if batch is None:
        return schema.empty_table()
    given = (
        batch if isinstance(batch, pa.Table) else pa.Table.from_pandas(batch, preserve_index=False)
    )
    arrays = [
        given[each.name].cast(each.type, safe=False)
        if each.name in given.column_names
        else pa.nulls(len(given), each.type)
        for each in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _arrow_type(column: Column) -> pa.DataType:
    scalar = {
        "float64": pa.float64(),
        "string": pa.string(),
        "uint16": pa.uint16(),
        "int64": pa.int64(),
        "boolean": pa.bool_(),
    }[column.dtype.removeprefix("array<").removesuffix(">")]
    return pa.list_(scalar) if column.is_container else scalar

"""The series of connections that could be beacons, and how much their intervals look like one.

A series is what a local host sends to one outside address on one port, and, where servers are named
(SNI, Host), to one name on one port, so that a beacon behind several addresses is one. Each is
judged as a whole and within windows, as it may begin, end and change its pace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.detectors.beacon_names import server_names
from analyzer.detectors.detection import (
    COMMON,
    Shared,
    shared_contacts,
    shared_destinations,
    shared_local_hosts,
)
from analyzer.detectors.outward import KEYS
from analyzer.intervals import event_keys, event_owner, shapes, windows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

WINDOWS = {"6 h": 6 * 3600.0, "24 h": 86_400.0, "7 d": 7 * 86_400.0}
"""The windows in which a series is judged, from the first record on."""

# What asks by nature, however often: resolvers (RFC 1035, 7858) and clocks (RFC 5905).
_INFRASTRUCTURE = ((53, "tcp"), (53, "udp"), (853, "tcp"), (853, "udp"), (123, "udp"))
# More than a connection a second is no sleep, but a flood (RITA calls 86,400 a day a strobe).
_FASTEST = 1.0
# Fewer hosts than this are no crowd.
CROWD = 3
# A smaller window is looked at where the larger one looks more like a beacon than nine tenths of
# the background do.
_CLOSER_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Series:
    """Who is judged.

    Attributes:
        by_address: ``pair`` and :data:`~analyzer.detectors.outward.KEYS`.
        by_name: ``pair orig_h server_name resp_p proto``; pairs go on from those by address.
            None where no servers are named.
        named: who met which name, from which those by name were chosen; None likewise.
    """

    by_address: ir.Table
    by_name: ir.Table | None
    named: ir.Table | None


def series(records: Records, shared: Shared, *, fewest: int, shortest: float) -> Series:
    """The series that are frequent, long and rare enough to be judged.

    Args:
        records: what happened.
        shared: what other rules have computed.
        fewest: least connections.
        shortest: least time from first to last, s.
    """
    met, hosts = outward(records, shared), shared_local_hosts(records, shared)
    pairs = met.group_by(*KEYS).aggregate(
        connections=met.connections.sum(), first=met["first"].min(), last=met["last"].max()
    )
    pairs = _frequent(pairs, fewest, shortest)
    known = shared_destinations(records, shared).select("resp_h", "sources")
    pairs = pairs.left_join(known, "resp_h").drop("resp_h_right")
    pairs = pairs.mutate(common=is_common(pairs.sources.fill_null(0), hosts))
    pairs = records.keep(pairs, "beacon_pairs")
    rare = pairs.filter(~pairs.common).select(*KEYS)
    by_address = _numbered(rare, KEYS, 0)
    by_address = records.keep(by_address, "beacon_by_address")
    named = _named(records, met, shared)
    if named is None:
        return Series(by_address, None, None)
    sources = named.group_by("server_name").aggregate(sources=named.orig_h.nunique())
    # An address that is judged already speaks for a name that has no other.
    frequent = _frequent(named, fewest, shortest).join(sources, "server_name")
    frequent = frequent.filter(~is_common(frequent.sources, hosts))
    several = frequent.filter(frequent.lowest != frequent.highest)
    one = frequent.filter(frequent.lowest == frequent.highest).mutate(resp_h=lambda t: t.lowest)
    one = one.anti_join(rare, KEYS).drop("resp_h")
    columns = ("orig_h", "server_name", "resp_p", "proto")
    chosen = several.select(*columns).union(one.select(*columns))
    count = int(by_address.count().execute())
    by_name = records.keep(_numbered(chosen, columns, count), "beacon_by_name")
    return Series(by_address, by_name, named)


def outward(records: Records, shared: Shared) -> ir.Table:
    """Contacts of local hosts with outside ones; of everybody where no host is known as local."""
    met = shared_contacts(records, shared)
    infrastructure = ibis.or_(
        *((met.resp_p == port) & (met.proto == proto) for port, proto in _INFRASTRUCTURE)
    )
    met = met.filter(~met.is_local & ~infrastructure)
    return met.filter(met.source_is_local) if shared_local_hosts(records, shared) else met


def _frequent(table: ir.Table, fewest: int, shortest: float) -> ir.Table:
    span = table["last"] - table["first"]
    return table.filter(
        (table.connections >= fewest)
        & (span >= shortest)
        & (table.connections <= fewest + span * _FASTEST)
    )


def is_common(sources: ir.IntegerValue, hosts: int) -> ir.BooleanValue:
    """Whether so many of the local hosts meet it that it cannot be worth a line."""
    return (sources >= CROWD) & (sources >= COMMON * hosts)


def _numbered(table: ir.Table, columns: tuple[str, ...], after: int) -> ir.Table:
    number = ibis.row_number().over(ibis.window(order_by=columns))
    return table.select(*columns).mutate(pair=(number + after).cast("int64"))


def _named(records: Records, met: ir.Table, shared: Shared) -> ir.Table | None:
    """Which source met which server name on which port outside; None without any name."""
    names = server_names(records, shared)
    if not names.count().execute():
        return None
    conn = records.conn
    outside = met.select(*KEYS).distinct()
    conn = conn.filter(conn.request & conn.uid.notnull())
    conn = conn.select("uid", "orig_h", "resp_h", "proto", "ts", resp_p=conn.tried_p)
    joined = conn.join(names, "uid").semi_join(outside, KEYS)
    table = joined.group_by("orig_h", "server_name", "resp_p", "proto").aggregate(
        connections=joined.count(),
        first=joined.ts.min(),
        last=joined.ts.max(),
        lowest=joined.resp_h.min(),
        highest=joined.resp_h.max(),
    )
    return records.keep(table, "beacon_named")


def connections(records: Records, chosen: Series, shared: Shared) -> ir.Table:
    """The connections of all series: ``pair`` beside the columns of conn."""
    conn = records.conn.filter(records.conn.request).drop("resp_p")
    conn = conn.rename(resp_p="tried_p")
    columns = ("ts", "uid", "orig_p", "resp_h", "orig_bytes", "resp_bytes", "answered", "pair")
    table = conn.join(chosen.by_address, KEYS).select(*columns)
    if chosen.by_name is None:
        return table
    keys = ("orig_h", "server_name", "resp_p", "proto")
    by_name = chosen.by_name
    # A name is met by many hosts: joined with who is judged before with its connections, each of
    # them would stand there once for each of these hosts.
    names = shared.get(
        connections,
        lambda: records.keep(
            server_names(records, shared).semi_join(by_name, "server_name"), "beacon_carried"
        ),
    )
    return table.union(conn.join(names, "uid").join(by_name, keys).select(*columns))


def of_pairs(chosen: Series, pairs: ir.Table) -> Series:
    """Some of the series: those whose ``pair`` is in a table."""
    by_name = None if chosen.by_name is None else chosen.by_name.semi_join(pairs, "pair")
    return replace(chosen, by_address=chosen.by_address.semi_join(pairs, "pair"), by_name=by_name)


def judged(records: Records, rows: ir.Table, *, fewest: int) -> pd.DataFrame:
    """For each series the window in which it looks most like a beacon.

    Columns: ``pair false_alarm`` (share of background that looks as much like one), ``window``
    (its name), ``median deviation`` (s), ``intervals``, ``first last`` (of the window, epoch
    seconds), ``holds`` (windows of each length in which it looks like one).

    Args:
        records: what happened.
        rows: :func:`connections`.
        fewest: least intervals.
    """
    # Its trees are read when there is something to judge.
    from analyzer.models.beacon import beacon_model  # noqa: PLC0415

    origin = records.first or 0.0
    times = rows.select("pair", second=rows.ts - origin).to_pyarrow()
    if not len(times):
        return pd.DataFrame(columns=_JUDGED)
    keys = event_keys(times["pair"].to_numpy(), times["second"].to_numpy())
    keys.sort()
    model = beacon_model()
    found: list[pd.DataFrame] = []
    for name, length in reversed(_lengths((records.last or 0.0) - origin)):
        cut, pair, window = windows(keys, length, fewest=fewest + 1)
        shape = shapes(cut, fewest=fewest)
        frame = pd.DataFrame(
            {
                "pair": pair[shape.owner],
                "false_alarm": model.false_alarm(shape.features),
                "window": name,
                "median": shape.medians,
                "deviation": shape.deviations,
                "intervals": shape.counts,
                "first": origin + window[shape.owner] * length,
            }
        )
        frame["last"] = frame["first"] + length
        found.append(frame)
        keys = _of_pairs(keys, frame.pair[frame.false_alarm <= _CLOSER_LOOK].to_numpy())
    return _best(pd.concat(found, ignore_index=True))


_JUDGED = [
    "pair", "false_alarm", "window", "median", "deviation", "intervals", "first", "last", "holds",
]  # fmt: skip

HOLDS = 0.01
"""Share of background below which a window is said to hold a beacon."""


def _lengths(span: float) -> list[tuple[str, float]]:
    """The windows that differ on so long a time, shortest first."""
    several = [(name, length) for name, length in WINDOWS.items() if length < span]
    longer = [(name, length) for name, length in WINDOWS.items() if length >= span]
    return several + longer[:1]


def _of_pairs(keys: npt.NDArray[np.int64], pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The events of some series."""
    owner = event_owner(keys)
    wanted = np.zeros(int(owner[-1]) + 1 if len(owner) else 0, bool)
    wanted[pairs] = True
    return keys[wanted[owner]]


def _best(frame: pd.DataFrame) -> pd.DataFrame:
    """The best window of each series, the larger where two are as good."""
    holding = frame.assign(held=frame.false_alarm <= HOLDS)
    held = holding.groupby(["pair", "window"], sort=False).held.agg(["sum", "count"]).reset_index()
    held["text"] = (
        held["window"] + ": " + held["sum"].astype(str) + " of " + held["count"].astype(str)
    )
    texts = held.groupby("pair", sort=False)["text"].agg(", ".join)
    ordered = frame.sort_values(["pair", "false_alarm"], kind="stable")
    best = ordered.drop_duplicates("pair").reset_index(drop=True)
    return best.assign(holds=best.pair.map(texts))

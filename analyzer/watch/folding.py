"""What is kept of connections that have left the window, so that slow beacons are found in it.

A beacon that calls every few hours has too few calls in a day to be told from chance, and a week of
rows is more than a sensor has room for. But most rows say nothing about slow beacons. Kept are

- *calls*: the latest connections of each local host with each outside service (a server name, or an
  address where none is known, on a port), in what the detectors of :data:`SLOW` ask of them. Not of
  services that most hosts meet, nor of DNS and NTP, which no such detector judges.
- *contacts*: of every pair of hosts, port and protocol, when it was first and last met and whether
  it ever answered: how common a destination is, and who scans.
- *names*: which host asked for or met which name, when last, and where it led.

Put together again (:func:`as_records`) they are records like any other, in which the same detectors
find the same things: a pair has all of its calls, or one row that stands for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

from analyzer.detectors import Shared
from analyzer.detectors.beacon_series import is_common, outward
from analyzer.detectors.detection import (
    shared_conversations,
    shared_destinations,
    shared_local_hosts,
)
from analyzer.detectors.outward import KEYS
from analyzer.features import DAY, HOUR
from analyzer.networks import LocalNetworks
from analyzer.protection import counted

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.engine import Engine
    from analyzer.records import Records

SLOW = frozenset({"beacon", "persistent_failure"})
"""Detectors that judge one service of a host by its calls, over as long a time as there is."""

MOST_CALLS = 256
"""Latest calls of a service that are kept: those of a beacon that calls every 2 hours for 7 days,
three connections each time. Who has as many within a day is judged in the window."""

FREQUENT = 2 * DAY
"""Seconds within which :data:`MOST_CALLS` make a service one that a window of a day suffices for:
that has more than a hundred of its calls, and of a week they say no more."""

MOST_OF_SOURCE = 50_000
"""Latest contacts, and names, that are kept of one host: scanners have more, and the detectors ask
no more of them than whether they scan (Zeek's policy/misc/scan.zeek: 25 hosts, 15 ports)."""

MOST_ADDRESSES = 16
"""Latest addresses of a name that are kept; a content network has thousands."""

# INET6_ADDRSTRLEN without the null byte: longer answers are no addresses.
_LONGEST_ADDRESS = 45
# A host with one service on one port: by its name, else by its address.
_SERVICE = ("orig_h", "service", "resp_p", "proto")

_ENDS = [("orig_h", pa.string()), ("resp_h", pa.string()), ("resp_p", pa.uint16())]
_FLAGS = [("answered", pa.bool_()), ("local_orig", pa.bool_()), ("local_resp", pa.bool_())]

CALLS = pa.schema(
    [
        ("ts", pa.float64()),
        ("uid", pa.string()),
        ("orig_p", pa.uint16()),
        *_ENDS,
        ("proto", pa.string()),
        ("orig_bytes", pa.int64()),
        ("resp_bytes", pa.int64()),
        *_FLAGS,
        ("server_name", pa.string()),
    ]
)
"""Columns of a call; ``resp_p`` is what was tried (:func:`analyzer.derived.tried_port`)."""

CONTACTS = pa.schema(
    [*_ENDS, ("proto", pa.string()), ("first", pa.float64()), ("last", pa.float64()), *_FLAGS]
)
"""Columns of a contact; it answered if it ever did."""

NAMES = pa.schema(
    [
        ("orig_h", pa.string()),
        ("query", pa.string()),
        ("resp_p", pa.uint16()),
        ("last", pa.float64()),
        ("answers", pa.list_(pa.string())),
    ]
)
"""Columns of a name: as it was asked for, or met (without port and answers)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept, as tables of an engine."""

    calls: ir.Table
    contacts: ir.Table
    names: ir.Table


SCHEMAS = {"calls": CALLS, "contacts": CONTACTS, "names": NAMES}
"""The columns of each table of :class:`Kept`, by its name."""


def nothing(engine: Engine) -> Kept:
    """Nothing kept yet."""
    return Kept(
        **{
            name: engine.keep(schema.empty_table(), f"kept_no_{name}")
            for name, schema in SCHEMAS.items()
        }
    )


def folded(kept: Kept, records: Records, *, begin: float, only_known: bool = False) -> Kept:
    """What is kept, with records added to it.

    Args:
        kept: what was kept before.
        records: what comes to it. What is there already does not count twice.
        begin: what was over before that time is left out, UTC epoch seconds.
        only_known: add calls of those services only that have some already.
    """
    keep, shared = records.keep, Shared()
    met = shared_conversations(records, shared)
    contacts = keep(_contacts(kept.contacts, met.filter(met.request), begin), "kept_all_contacts")
    named = keep(_named(records), "kept_named")
    names = keep(_names(kept.names, records, named, begin), "kept_all_names")
    new = _calls(records, named, shared)
    known = kept.calls.filter(kept.calls.ts >= begin)
    if only_known:
        services = _with_service(known).select(*_SERVICE).distinct()
        new = _with_service(new).semi_join(services, _SERVICE).drop("service")
    every = known.union(new.filter(new.ts >= begin), distinct=True)
    return Kept(keep(every, "kept_all_calls"), contacts, names)


def bounded(kept: Kept, records: Records, most: int) -> tuple[Kept, int]:
    """What is worth keeping, in so many rows.

    Where there is no room for all calls, services go first that were called in the fewest hours of
    the clock, and of these the ones that were called longest ago; else what was met longest ago.

    Args:
        kept: what there is.
        records: the same as records, from :func:`as_records`.
        most: rows of each table.

    Returns:
        What is kept, and how many rows are left out that there is no room for.
    """
    shared = Shared()
    hosts = shared_local_hosts(records, shared)
    places = shared_destinations(records, shared)
    common = places.filter(is_common(places.sources, hosts)).select("resp_h")
    met = kept.names.mutate(server_name=kept.names["query"].lower())
    met = met.group_by("server_name").aggregate(sources=met.orig_h.nunique())
    known = met.filter(is_common(met.sources, hosts)).select("server_name")
    calls = kept.calls
    # One name of a content network's address may be rare, and an address without any cannot.
    named = calls.server_name.notnull()
    rare = ibis.union(
        calls.filter(named).anti_join(known, "server_name"),
        calls.filter(~named).anti_join(common, "resp_h"),
    )
    latest = _latest_calls(rare)
    chosen, count = _chosen(latest, most, records)
    kept_contacts, lost_contacts = _most_recent(kept.contacts, most, records, "contacts")
    kept_names, lost_names = _most_recent(kept.names, most, records, "names")
    return Kept(chosen, kept_contacts, kept_names), count + lost_contacts + lost_names


def reaching_back(kept: Kept, past: Kept, records: Records) -> Kept:
    """What is kept, without the calls of services that are judged in the window.

    That is those whose latest calls are all later than the past, and those with so many calls that
    only the latest are kept and took less than :data:`FREQUENT`.

    Args:
        kept: the past and the window together.
        past: the past alone.
        records: any of the same engine.
    """
    end = past.calls.ts.max().execute()
    calls = _with_service(_latest_calls(kept.calls))
    first, last = calls.ts.min(), calls.ts.max()
    services = calls.group_by(*_SERVICE).aggregate(first=first, last=last, calls=calls.count())
    seldom = (services.calls < MOST_CALLS) | (services["last"] - services["first"] >= FREQUENT)
    old = services.filter((services["first"] <= end) & seldom)
    calls = calls.semi_join(old, _SERVICE).drop("service")
    return replace(kept, calls=records.keep(calls, "kept_reaching_back"))


def as_records(kept: Kept, records: Records, local: LocalNetworks) -> Records:
    """What is kept as records: all calls, and one row for each contact that has none.

    Args:
        kept: what is kept.
        records: any of the same engine; their columns are those of the result.
        local: tells local addresses.
    """
    calls = kept.calls
    rows = calls.mutate(
        duration=ibis.literal(0.0), request=ibis.literal(True), tried_p=calls.resp_p
    )
    others = kept.contacts.anti_join(calls, KEYS)
    others = others.mutate(
        ts=others["first"],
        duration=ibis.literal(0.0),
        request=ibis.literal(True),
        tried_p=others.resp_p,
    )
    conn = ibis.union(_shaped(rows, records.conn), _shaped(others, records.conn))
    asked = kept.names.mutate(ts=kept.names["last"], proto=ibis.literal("udp"))
    names = calls.filter(calls.uid.notnull() & calls.server_name.notnull())
    names = names.group_by("uid").aggregate(server_name=names.server_name.min())
    keep = records.keep
    return counted(
        replace(
            records,
            conn=keep(conn, "kept_conn"),
            dns=keep(_shaped(asked, records.dns), "kept_dns"),
            server_names=keep(names, "kept_server_names"),
            local=local,
        )
    )


def flagged(kept: Kept, networks: LocalNetworks) -> LocalNetworks:
    """The networks, with whether Zeek marked any address of what is kept as local."""
    said = kept.contacts.local_orig | kept.contacts.local_resp
    is_flagged = bool(kept.contacts.aggregate(said=said.any()).to_pyarrow().to_pylist()[0]["said"])
    return LocalNetworks(networks.networks, flagged=networks.flagged or is_flagged)


def _contacts(known: ir.Table, met: ir.Table, begin: float) -> ir.Table:
    columns = [name for name in CONTACTS.names if name != "resp_p"]
    every = known.union(
        met.select(*columns, resp_p=met.resp_p.cast("uint16")).select(*CONTACTS.names)
    )
    every = every.filter(every["last"] >= begin)
    table = every.group_by(*KEYS).aggregate(
        first=ibis.greatest(every["first"].min(), begin),
        last=every["last"].max(),
        **{name: every[name].any() for name, _ in _FLAGS},
    )
    return table.select(*CONTACTS.names)


def _named(records: Records) -> ir.Table:
    """Connections that carry a server name: ``uid orig_h ts server_name`` (in lower case)."""
    names = records.server_names
    conn = records.conn.filter(records.conn.uid.notnull() & records.conn.request)
    rows = conn.select("uid", "orig_h", "ts").join(names, "uid")
    return rows.select("uid", "orig_h", "ts", server_name=rows.server_name.lower())


def _names(known: ir.Table, records: Records, named: ir.Table, begin: float) -> ir.Table:
    met = named.group_by("orig_h", query="server_name").aggregate(last=named.ts.max())
    met = met.mutate(resp_p=ibis.null(dt.uint16), answers=ibis.null(dt.Array(dt.string)))
    dns = records.dns
    asked = dns.select("orig_h", "query", "resp_p", "answers", last="ts")
    every = ibis.union(known, met.select(*NAMES.names), asked.select(*NAMES.names))
    every = every.filter(every["last"] >= begin)
    keys = ("orig_h", "query", "resp_p")
    latest = every.group_by(*keys).aggregate(last=every["last"].max())
    told = every.filter(every.answers.length() > 0)
    told = told.mutate(address=told.answers.unnest())
    told = told.filter(told.address.length() <= _LONGEST_ADDRESS)
    told = told.group_by(*keys, "address").aggregate(last=told["last"].max())
    order = [told["last"].desc(), told.address]
    rank = ibis.row_number().over(ibis.window(group_by=keys, order_by=order))
    told = told.mutate(rank=rank)
    told = told.filter(told["rank"] < MOST_ADDRESSES)
    answers = told.group_by(*keys).aggregate(answers=told.address.collect(order_by=told["rank"]))
    same = [latest[name].identical_to(answers[name]) for name in keys]
    table = latest.left_join(answers, same)
    return table.select(*NAMES.names)


def _calls(records: Records, named: ir.Table, shared: Shared) -> ir.Table:
    conn = records.conn.filter(records.conn.request)
    conn = conn.drop("resp_p").rename(resp_p="tried_p")
    pairs = outward(records, shared).select(*KEYS).distinct()
    rows = conn.semi_join(pairs, KEYS).left_join(named.select("uid", "server_name"), "uid")
    return _typed(rows.select(*CALLS.names))


def _typed(rows: ir.Table) -> ir.Table:
    return rows.cast({"resp_p": dt.uint16, "orig_p": dt.uint16})


def _with_service(calls: ir.Table) -> ir.Table:
    return calls.mutate(service=ibis.coalesce(calls.server_name, calls.resp_h))


def _latest_calls(calls: ir.Table) -> ir.Table:
    rows = _with_service(calls)
    order = [rows.ts.desc(), rows.uid, rows.orig_p, rows.resp_h]
    rank = ibis.row_number().over(ibis.window(group_by=_SERVICE, order_by=order))
    rows = rows.mutate(rank=rank)
    return rows.filter(rows["rank"] < MOST_CALLS).select(*CALLS.names)


def _chosen(calls: ir.Table, most: int, records: Records) -> tuple[ir.Table, int]:
    rows = records.keep(calls, "kept_latest_calls")
    count = int(rows.count().execute())
    if count <= most:
        return rows, 0
    rows = _with_service(rows)
    services = rows.group_by(*_SERVICE).aggregate(
        calls=rows.count(), hours=(rows.ts / HOUR).floor().nunique(), last=rows.ts.max()
    )
    order = [services.hours.desc(), services["last"].desc(), *(services[k] for k in _SERVICE)]
    room = services.calls.sum().over(ibis.cumulative_window(order_by=order))
    services = services.mutate(room=room)
    fit = services.filter(services.room <= most).select(*_SERVICE)
    chosen = records.keep(rows.semi_join(fit, _SERVICE).drop("service"), "kept_chosen_calls")
    return chosen, count - int(chosen.count().execute())


def _most_recent(table: ir.Table, most: int, records: Records, name: str) -> tuple[ir.Table, int]:
    keys: Sequence[str] = [each for each in table.columns if each not in ("last", "answers")]
    order = [table["last"].desc(), *(table[key] for key in keys)]
    rank = ibis.row_number().over(ibis.window(group_by="orig_h", order_by=order))
    rows = table.mutate(rank=rank)
    rows = records.keep(rows.filter(rows["rank"] < MOST_OF_SOURCE).drop("rank"), f"kept_{name}")
    count = int(rows.count().execute())
    if count <= most:
        return rows, 0
    order = [rows["last"].desc(), *(rows[key] for key in keys)]
    chosen = records.keep(rows.order_by(order).limit(most), f"kept_chosen_{name}")
    return chosen, count - most


def _shaped(rows: ir.Table, like: ir.Table) -> ir.Table:
    """Rows with the columns of a table, those that they do not have null or none."""
    columns = {}
    for name, kind in like.schema().items():
        if name in rows.columns:
            columns[name] = rows[name].cast(kind)
        elif name in ("login_service", "application"):
            columns[name] = ibis.literal(0).cast(kind)
        else:
            columns[name] = ibis.null(kind)
    return rows.select(**columns)

"""What is known of a series besides its intervals: sizes, answers, names, and who else meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pyarrow as pa

from analyzer.detectors.beacon_names import looked_up, met_domains, most_carried, server_names
from analyzer.detectors.beacon_series import Series, connections, of_pairs
from analyzer.detectors.detection import Shared, shared_contacts, shared_destinations

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records


def described(records: Records, best: pd.DataFrame, chosen: Series, shared: Shared) -> pd.DataFrame:
    """Add to the best window of each series what is known of it.

    Columns added: ``orig_h resp_h resp_p proto`` (the address most used), ``by_name`` (whether it
    is a series of a name), ``addresses``, ``connections answered`` (how many, within the window),
    ``begin end`` (times of the first and last of them), ``ports`` (originator ports used),
    ``out_typical out_spread in_typical in_spread`` (payload: median in bytes, and half the width of
    the quartiles over it; null where unknown), ``name`` (of the server, empty if unknown),
    ``domain`` (the registered one), ``direct`` (the source asks DNS, and was never told this
    address), ``swept`` (the source scans the port or the destination), ``sources`` (local hosts
    that meet the domain, the address if it has no name) and ``met_first`` (when the address was).

    Args:
        records: what happened.
        best: the series, from :func:`analyzer.detectors.beacon_series.judged`.
        chosen: who was judged.
        shared: what other rules have computed.
    """
    bounds = records.keep(
        pa.table({name: best[name] for name in ("pair", "first", "last")}), "beacon_windows"
    )
    own = connections(records, of_pairs(chosen, bounds), shared).join(bounds, "pair")
    own = own.filter((own.ts >= own["first"]) & (own.ts < own["last"]))
    own = records.keep(own, "beacon_connections")
    frame = best.merge(_measures(own), on="pair").merge(_who(own, chosen), on="pair")
    carried = most_carried(server_names(records, shared), own)
    told, askers = looked_up(records, set(frame.orig_h), set(frame.resp_h), shared)
    met = list(zip(frame.orig_h, frame.resp_h, strict=True))
    frame["direct"] = [each[0] in askers and each not in told for each in met]
    frame["name"] = [
        carried.get(pair, "") or told.get(each, "")
        for pair, each in zip(frame.pair, met, strict=True)
    ]
    frame["swept"] = _swept(frame, shared_contacts(records, shared))
    return _prevalence(records, frame, chosen, shared).sort_values("pair", ignore_index=True)


# What Zeek's policy/misc/scan.zeek takes for a scan: addr_scan_threshold, port_scan_threshold.
_SWEPT_HOSTS, _SWEPT_PORTS = 25, 15


def _swept(frame: pd.DataFrame, met: ir.Table) -> list[bool]:
    """Whether each source scans the port of its series, or the ports of its destination.

    A scanner that tries again and again does so by the clock. It scans where so many hosts, or
    ports, never answered it, and at least as many as did.
    """
    tried = met.filter(met.orig_h.isin(sorted(set(frame.orig_h))))
    keys = ("orig_h", "resp_h", "resp_p", "proto")
    tried = tried.group_by(*keys).aggregate(answered=tried.answered.any())
    scanned: set[tuple[object, ...]] = set()
    for over, least in (("resp_p", _SWEPT_HOSTS), ("resp_h", _SWEPT_PORTS)):
        counted = tried.group_by("orig_h", over, "proto").aggregate(
            failed=(~tried.answered).sum(), met=tried.count()
        )
        swept = counted.filter((counted.failed >= least) & (2 * counted.failed >= counted.met))
        rows = swept.to_pandas()
        scanned |= set(zip(rows.orig_h, rows[over], rows.proto, strict=True))
    return [
        (row.orig_h, row.resp_p, row.proto) in scanned
        or (row.orig_h, row.resp_h, row.proto) in scanned
        for row in frame.itertuples()
    ]


def _measures(own: ir.Table) -> pd.DataFrame:
    """What the connections of each series amount to."""
    sizes: dict[str, ir.Value] = {}
    for side, column in (("out", own.orig_bytes), ("in", own.resp_bytes)):
        payload = column.cast("float64")
        typical = payload.median()
        width = (payload.quantile(0.75) - payload.quantile(0.25)) / 2
        sizes |= {
            f"{side}_typical": typical,
            f"{side}_spread": width / ibis.greatest(typical, 1.0),
        }
    table = own.group_by("pair").aggregate(
        connections=own.count(),
        answered=own.answered.sum().cast("int64"),
        begin=own.ts.min(),
        end=own.ts.max(),
        ports=own.orig_p.nunique(),
        addresses=own.resp_h.nunique(),
        **sizes,
    )
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _who(own: ir.Table, chosen: Series) -> pd.DataFrame:
    """Source, port and protocol of each series, and the address it meets most."""
    columns = ("pair", "orig_h", "resp_p", "proto")
    keys = chosen.by_address.select(*columns, by_name=ibis.literal(False))
    if chosen.by_name is not None:
        keys = keys.union(chosen.by_name.select(*columns, by_name=ibis.literal(True)))
    counted = own.group_by("pair", "resp_h").aggregate(count=own.count())
    order = [counted["count"].desc(), counted.resp_h]
    most = counted.mutate(rank=ibis.row_number().over(group_by="pair", order_by=order))
    most = most.filter(most["rank"] == 0).select("pair", "resp_h")
    frame: pd.DataFrame = keys.join(most, "pair").to_pandas()
    return frame


def _prevalence(
    records: Records, frame: pd.DataFrame, chosen: Series, shared: Shared
) -> pd.DataFrame:
    """How many local hosts meet what a series is about: its domain if named, else its address.

    An address of a content network is met by many, for names of which one may be rare; a service
    has many addresses, each of which may be.
    """
    known = shared_destinations(records, shared)
    known = known.filter(known.resp_h.isin(sorted(set(frame.resp_h))))
    addresses = known.group_by("resp_h").aggregate(
        sources=known.sources.max(), met_first=known.met_first.min()
    )
    by_address = addresses.to_pandas().set_index("resp_h")
    domains, hosts = met_domains(records, set(frame["name"]) - {""}, chosen.named, shared)
    frame["domain"] = [domains.get(name, "") for name in frame["name"]]
    frame["met_first"] = by_address.met_first.reindex(frame.resp_h).to_numpy(dtype=float)
    known_by = by_address.sources.reindex(frame.resp_h, fill_value=1)
    frame["sources"] = [
        hosts.get(domain, int(sources))
        for domain, sources in zip(frame.domain, known_by, strict=True)
    ]
    return frame

"""A day in numbers, host by host and for the network: what days are compared by.

A number of a day is only like that of another day if both cover the same hours. So sums and peaks
are taken over given hours of the day, and what has no hour (names, ports, hosts met for the first
time) is told of whole days only.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.bins import BINS, SHAPES, UNKNOWN_BIN, coarse, value_of
from analyzer.baseline.day_to_day import FEWEST, LEAST_SPREAD
from analyzer.baseline.divergence import mix_distances
from analyzer.baseline.tables import LAYOUTS

if TYPE_CHECKING:
    from analyzer.baseline.summary import Summary

NETWORK = ""
"""Stands for the source of numbers that are the network's."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of a day.

    Attributes:
        name: as it is called in JSON.
        meaning: as it is called in words.
        unit: ``B``, ``s``, ``%`` or nothing.
        scale: what it is multiplied by before 1 is added and the logarithm taken.
        counted: whether it counts what may as well have happened once more or less.
        fewest: days that a host, or a role, needs to speak for itself. Of what is new there are
            two in the first three, and sizes of connections are kept for several days together.
        least: the least that its logarithm is taken to vary by.
    """

    name: str
    meaning: str
    unit: str = ""
    scale: float = 1.0
    counted: bool = False
    fewest: int = FEWEST
    least: float = LEAST_SPREAD


def _count(name: str, meaning: str, fewest: int = FEWEST) -> Metric:
    return Metric(name, meaning, counted=True, fewest=fewest)


_PER_CONNECTION = {
    "bytes_out": ("sent", "B"),
    "bytes_in": ("received", "B"),
    "duration": ("duration", "s"),
    "packets_out": ("packets sent", ""),
}
# So that a distance of a hundredth, which is noise, makes a spread of what none is.
_MIX = 20.0

# Nothing smaller than a bin of their histograms is known of sizes.
_BIN = math.log(2) / BINS
_NEW = 2

_IN_WORDS = {"typical": "typical connection", "95": "95% of connections"}

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _count("connections", "connections"),
        _count("failed", "connections unanswered"),
        Metric("bytes_out", "bytes sent", "B"),
        Metric("bytes_in", "bytes received", "B"),
        _count("queries", "DNS queries"),
        Metric("active_hours", "hours with any record"),
        _count("hosts", "active hosts"),
        _count("most_connections", "connections, busiest hour"),
        Metric("most_bytes_out", "bytes sent, busiest hour", "B"),
        Metric("most_bytes_in", "bytes received, busiest hour", "B"),
        _count("destinations", "hosts met, busiest hour"),
        _count("outside", "outside hosts, busiest hour"),
        _count("busiest", "connections, busiest minute"),
        *(
            Metric(
                f"{name}_{level}",
                f"{words}, {level_words}",
                unit,
                SHAPES[name],
                fewest=1,
                least=_BIN,
            )
            for name, (words, unit) in _PER_CONNECTION.items()
            for level, level_words in _IN_WORDS.items()
        ),
        _count("ports", "ports used"),
        _count("names", "names asked for"),
        _count("domains", "domains asked for"),
        _count("refused", "names that do not exist"),
        Metric("name_length", "length of names"),
        Metric("longest_name", "longest name"),
        _count("new_inside", "new local hosts met", _NEW),
        _count("new_outside", "new outside hosts met", _NEW),
        _count("new_services", "new services offered", _NEW),
        _count("new_domains", "new domains", _NEW),
        Metric("port_mix", "other ports, distance", "", _MIX),
        Metric("protocol_mix", "other protocols, distance", "", _MIX),
        Metric("hour_mix", "other hours, distance", "", _MIX),
    )
}
"""Every number of a day, in the order in which they are told."""

_MOST = 0.95
_SUMS = ("connections", "failed", "bytes_out", "bytes_in", "queries")
_IN_SLOT = 12


def on_grid(tables: Summary) -> dict[str, pd.DataFrame]:
    """The tables as they are of days that are over: a day that is exact is no other for that."""
    result = dict(tables)
    for name, layout in LAYOUTS.items():
        names = [field.name for field in layout.fields if field.coarse]
        if name in result and names:
            frame = result[name]
            result[name] = frame.assign(**{each: coarse(frame[each].to_numpy()) for each in names})
    return result


def hourly(tables: Summary, hours: Collection[int]) -> pd.DataFrame:
    """Sums and peaks over hours of the day.

    Args:
        tables: of a baseline, or a summary.
        hours: of the day, UTC.

    Returns:
        ``source day metric value``; hosts without a record in these hours have no row.
    """
    rows = _table(tables, "hours")
    rows = rows[rows.hour.isin(hours)]
    grouped = rows.groupby(["source", "day"])
    table = grouped[list(_SUMS)].sum()
    table["active_hours"] = grouped.size().astype(float)
    peaks = {
        "most_connections": "connections",
        "most_bytes_out": "bytes_out",
        "most_bytes_in": "bytes_in",
        "destinations": "destinations",
        "outside": "outside",
        "busiest": "busiest",
    }
    for name, column in peaks.items():
        table[name] = grouped[column].max()
    slots = _table(tables, "network")
    slots = slots.assign(hour=slots.slot // _IN_SLOT)
    slots = slots[slots.hour.isin(hours)]
    whole = slots.groupby("day")[list(_SUMS)].sum()
    each = slots.groupby(["day", "hour"])[list(_SUMS)].sum().groupby("day").max()
    for name in ("most_connections", "most_bytes_out", "most_bytes_in"):
        whole[name] = each[peaks[name]]
    whole["hosts"] = rows.groupby("day").source.nunique().reindex(whole.index).fillna(0.0)
    return pd.concat([_long(table.reset_index()), _long(_of_network(whole))], ignore_index=True)


def per_connection(tables: Summary) -> pd.DataFrame:
    """What is typical of connections, and what 95% stay under, as :func:`hourly` returns it.

    Typical is the geometric mean (of 1 added to the value, in the unit of
    :data:`analyzer.baseline.bins.SHAPES`). A median would jump from day to day between the kinds of
    connections that a host has about as many of.
    """
    shapes = _table(tables, "shapes")
    shapes = shapes[(shapes.bin != UNKNOWN_BIN) & (shapes.connections > 0)]
    keys = ["source", "metric", "day"]
    rows = shapes[[*keys, "bin", "connections"]]
    whole = rows.groupby(["metric", "day", "bin"], as_index=False).connections.sum()
    both = pd.concat([rows, whole.assign(source=NETWORK)], ignore_index=True)
    both = both.assign(number=both.bin.to_numpy(float) * both.connections)
    both = both.sort_values([*keys, "bin"], kind="stable")
    grouped = both.groupby(keys, sort=False)
    sums = grouped[["number", "connections"]].sum()
    reached = grouped.connections.cumsum() / grouped.connections.transform("sum")
    # Sums of many shares end a little beside what they should.
    highest = both[reached >= _MOST * (1 - 1e-12)].groupby(keys, sort=False).bin.first()
    found = []
    for name, bins in (("typical", sums.number / sums.connections), ("95", highest)):
        frame = bins.astype(float).rename("value").reset_index()
        for metric in SHAPES:
            of_metric = (frame.metric == metric).to_numpy()
            frame.loc[of_metric, "value"] = value_of(frame.value[of_metric], metric)
        found.append(frame.assign(metric=frame.metric.astype(str) + f"_{name}"))
    joined: pd.DataFrame = pd.concat(found, ignore_index=True)
    return joined[["source", "day", "metric", "value"]]


def whole_day(tables: Summary) -> pd.DataFrame:
    """Numbers of whole days but for what is new, as :func:`hourly` returns them."""
    ports, lookups = _table(tables, "ports"), _table(tables, "lookups")
    found = []
    for keys, source in ((["source", "day"], None), (["day"], NETWORK)):
        used = ports[[*keys, "proto", "port"]].drop_duplicates().groupby(keys).size()
        table = pd.DataFrame({"ports": used.astype(float)}).reset_index()
        found.append(_long(table if source is None else table.assign(source=source)))
        grouped = lookups.groupby(keys)
        asked = grouped[["names", "domains", "refused", "letters"]].sum()
        asked["name_length"] = asked.letters / asked.names.where(asked.names > 0)
        asked["longest_name"] = grouped.longest.max()
        asked = asked.drop(columns="letters").reset_index()
        if source is None:
            found.append(_long(asked))
        else:
            # Each host's names are counted, which says little of how many the network's are.
            few = asked[["day", "name_length", "longest_name"]]
            found.append(_long(few.assign(source=source)))
    return pd.concat(found, ignore_index=True)


def mixes(tables: Summary, usual: Mapping[str, pd.DataFrame], *, apart: bool) -> pd.DataFrame:
    """How far each day's mixes are from the usual ones, as :func:`hourly` returns them.

    Args:
        tables: of a baseline, or a summary.
        usual: tables of the baseline.
        apart: whether the days are none of the baseline's; else each is compared with all others.
    """
    found = []
    for name, table, category in (
        ("port_mix", "ports", ["proto", "port"]),
        ("protocol_mix", "ports", ["proto", "application"]),
        ("hour_mix", "hours", ["hour"]),
    ):
        of_days, known = (_mix(_table(each, table), category) for each in (tables, usual))
        found.append(mix_distances(of_days, known, apart=apart).assign(metric=name))
    return pd.concat(found, ignore_index=True)[["source", "day", "metric", "value"]]


def _mix(rows: pd.DataFrame, category: list[str]) -> pd.DataFrame:
    """``source day kind weight`` of every source and of the network."""
    text = rows[category[0]].astype(str)
    for column in category[1:]:
        text = text + "/" + rows[column].astype(str)
    numbered = rows[["source", "day"]].assign(kind=text, weight=rows.connections)
    whole = numbered.assign(source=NETWORK)
    both = pd.concat([numbered, whole], ignore_index=True)
    return both.groupby(["source", "day", "kind"], as_index=False)[["weight"]].sum()


def first_times(
    frames: Mapping[str, pd.DataFrame], together: Mapping[int, Collection[int]]
) -> pd.DataFrame:
    """How much was new a day, as :func:`hourly` returns it; hosts with nothing new have 0.

    Args:
        frames: ``peers``, ``offered`` and ``domains``, which say on which day something was new,
            and ``hours``, which says who was there.
        together: days by the day that stands for them, see :mod:`analyzer.baseline.folding`.
    """
    of_day = {day: unit for unit, days in together.items() for day in days}
    hours = frames["hours"]
    here = pd.DataFrame({"source": hours.source, "day": hours.day.map(of_day)}).dropna()
    there = here.drop_duplicates().astype({"day": int})
    length = pd.Series({unit: float(len(days)) for unit, days in together.items()}, dtype=float)
    found = []
    peers, offered = frames["peers"], frames["offered"]
    for name, rows in (
        ("new_inside", peers[~peers.outside]),
        ("new_outside", peers[peers.outside]),
        ("new_services", offered),
    ):
        number = rows.groupby(["source", rows.first_day.map(of_day).rename("day")]).size()
        index = pd.MultiIndex.from_frame(there)
        of_host = number.reindex(index).fillna(0.0).to_numpy(float)
        a_day = of_host / there.day.map(length).to_numpy(float)
        found.append(there.assign(metric=name, value=a_day))
        found.append(_network_rows(name, number.groupby("day").sum(), length))
    domains = frames["domains"].first_day.map(of_day)
    found.append(_network_rows("new_domains", domains.groupby(domains).size(), length))
    return pd.concat(found, ignore_index=True)


def _network_rows(name: str, number: pd.Series[int], length: pd.Series[float]) -> pd.DataFrame:
    value = number.reindex(length.index).fillna(0.0).to_numpy(float) / length.to_numpy(float)
    day = length.index.to_numpy(int)
    return pd.DataFrame({"source": NETWORK, "day": day, "metric": name, "value": value})


def _table(tables: Summary, name: str) -> pd.DataFrame:
    return tables[name] if name in tables else LAYOUTS[name].empty()


def _of_network(by_day: pd.DataFrame) -> pd.DataFrame:
    return by_day.reset_index().assign(source=NETWORK)


def _long(wide: pd.DataFrame) -> pd.DataFrame:
    """A row a number from a column a number; what is not known has none."""
    rows = wide.melt(["source", "day"], var_name="metric")
    return rows[rows.value.notna()]

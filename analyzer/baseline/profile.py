"""What a baseline knows of one host, or of the network as a whole, as numbers with names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN
from analyzer.baseline.by_source import BySource
from analyzer.baseline.contacts import (
    Names,
    Peer,
    PortUse,
    Service,
    Share,
    names_of,
    peers_of,
    ports_of,
    services_of,
    shares_of,
)
from analyzer.baseline.coverage import date_of, hours_covered, weekday_of
from analyzer.baseline.distribution import Distribution, Floats, of_bins, of_values
from analyzer.baseline.rhythm import Rhythm, rhythm_of
from analyzer.baseline.roles import roles
from analyzer.baseline.shifts import Shift, shifts_of
from analyzer.baseline.usual import FEWEST, LEVELS

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

UNITS = {"bytes_out": "B", "bytes_in": "B", "duration": "s"}
"""Units of measures that have one."""

_MINUTES = 60.0
_SLOTS = 12
_SATURDAY = 5
_HOURLY = ("connections", "failed", "bytes_out", "bytes_in", "destinations", "outside", "queries")
_SUMS = ("connections", "failed", "bytes_out", "bytes_in", "queries")


@dataclass(frozen=True, slots=True)
class Talker:
    """A source, with what it did in all.

    Attributes:
        host: its address.
        role: what it is for.
        judged_by: what most of its hours are judged by; empty if nothing is known of them.
        days: on how many days it was seen.
        connections: that it began.
        bytes_out: payload bytes that it sent in them.
        bytes_in: payload bytes that came back.
    """

    host: str
    role: str
    judged_by: str
    days: int
    connections: float
    bytes_out: float
    bytes_in: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a host, or of the network (all local hosts as originators).

    Attributes:
        host: its address; None for the network.
        role: what the host is for; empty for the network.
        judged_by: which hours stand for what is usual at most hours of the host
            (:data:`analyzer.baseline.usual.LEVELS`); empty for the network, or if nothing does.
        days: on how many days it was seen.
        first: first of those days.
        last: last of them.
        per_connection: bytes_out, bytes_in (payload, B), duration (s) and packets_out of one
            connection; measures that were never logged are absent.
        unknown: share of connections whose log has no value, by measure.
        per_hour: connections, failed, bytes_out, bytes_in, queries, of a host destinations and
            outside (of them not local), of the network hosts: in hours with any record.
        per_minute: connections a minute, hour by hour (of the network: five minutes by five
            minutes).
        busiest_minute: connections in the busiest minute of each hour; None for the network.
        rhythm: by hour of the day, weekday and hour of the week.
        protocols: transport protocols.
        applications: what Zeek says they spoke; the empty name is what it did not know.
        ports: responder's ports, most used first.
        peers: hosts met, those first seen last first.
        services: ports that it answers on.
        names: what it asks for in DNS.
        shifts: how far its last days are from those before, the furthest first; empty if there are
            too few days of either.
        reference: connections in the sample that models of the usual are fitted on.
        reference_stands_for: connections that are like those.
    """

    host: str | None
    role: str
    judged_by: str
    days: int
    first: str | None
    last: str | None
    per_connection: dict[str, Distribution]
    unknown: dict[str, float]
    per_hour: dict[str, Distribution]
    per_minute: Distribution | None
    busiest_minute: Distribution | None
    rhythm: Rhythm
    protocols: tuple[Share, ...]
    applications: tuple[Share, ...]
    ports: tuple[PortUse, ...]
    peers: tuple[Peer, ...]
    services: tuple[Service, ...]
    names: Names
    shifts: tuple[Shift, ...]
    reference: int
    reference_stands_for: float


class Profiles:
    """Profiles of one baseline's hosts and of its network.

    Attributes:
        roles: role of every host, by address.
        judged_by: index into :data:`analyzer.baseline.usual.LEVELS` of what most of a host's hours
            are judged by, by address; -1 if there is nothing.
    """

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self.roles = roles(baseline)
        self.judged_by = _levels(baseline["hours"], self.roles)
        self._covered = hours_covered(baseline["days"])
        self._rows = BySource(baseline.tables)

    @property
    def hosts(self) -> list[str]:
        """Addresses of all hosts, in order."""
        return [str(host) for host in self.roles.index]

    def host(self, address: str) -> Profile:
        """What is known of a host.

        Raises:
            KeyError: nothing is.
        """
        role = str(self.roles[address])
        own = self._rows.of(address, _OF_SOURCES)
        hours = own["hours"]
        level = int(self.judged_by.get(address, -1))
        first = int(hours.day.min()) if len(hours) else None
        covered = {
            day: span for day, span in self._covered.items() if first is not None and day >= first
        }
        return _profile(
            own,
            covered,
            host=address,
            role=role,
            judged_by=LEVELS[level] if level >= 0 else "",
            per_hour={name: hours[name].to_numpy() for name in _HOURLY},
            per_minute=hours.connections.to_numpy() / _MINUTES,
            busiest=of_values(hours.busiest),
        )

    def talkers(self) -> tuple[Talker, ...]:
        """All hosts, those that sent and got most bytes first."""
        hours = self._baseline["hours"]
        grouped = hours.groupby("source")
        sums = grouped[["connections", "bytes_out", "bytes_in"]].sum()
        table = sums.assign(days=grouped.day.nunique()).reindex(self.roles.index).fillna(0.0)
        level = self.judged_by.reindex(table.index).fillna(-1)
        columns = (table[name].tolist() for name in ("days", *sums))
        every = [
            Talker(host, role, LEVELS[int(number)] if number >= 0 else "", int(days), *rest)
            for host, role, number, days, *rest in zip(
                self.hosts, self.roles.tolist(), level.tolist(), *columns, strict=True
            )
        ]
        return tuple(sorted(every, key=lambda one: (-one.bytes_out - one.bytes_in, one.host)))

    def network(self) -> Profile:
        """What is known of all hosts together."""
        tables = {name: self._baseline[name] for name in _OF_SOURCES}
        slots, hours = self._baseline["network"], tables["hours"]
        at = [slots.day, (slots.slot // _SLOTS).rename("hour")]
        hourly = slots.groupby(at)[list(_SUMS)].sum()
        hosts = hours.groupby(["day", "hour"]).source.nunique()
        met = tables["peers"].groupby("peer", as_index=False)
        summed = hours.groupby(["day", "hour"], as_index=False)[list(_SUMS)].sum()
        whole = {
            **tables,
            "hours": summed,
            "peers": met.agg(
                outside=("outside", "max"),
                first_day=("first_day", "min"),
                last_day=("last_day", "max"),
            ),
        }
        return _profile(
            whole,
            self._covered,
            host=None,
            role="",
            judged_by="",
            per_hour={
                **{name: hourly[name].to_numpy() for name in _SUMS},
                "hosts": np.asarray(hosts, np.float64),
            },
            per_minute=slots.connections.to_numpy() / (_MINUTES / _SLOTS),
            busiest=None,
        )


_OF_SOURCES = (
    "hours",
    "shapes",
    "ports",
    "peers",
    "offered",
    "lookups",
    "names",
    "reference",
)


def _profile(
    tables: Mapping[str, pd.DataFrame],
    covered: Mapping[int, range],
    *,
    host: str | None,
    role: str,
    judged_by: str,
    per_hour: Mapping[str, Floats],
    per_minute: Floats,
    busiest: Distribution | None,
) -> Profile:
    hours, shapes = tables["hours"], tables["shapes"]
    days = sorted({int(day) for day in hours.day.unique()} & set(covered))
    per_connection, unknown = {}, {}
    for metric in SHAPES:
        rows = shapes[shapes.metric == metric]
        found = of_bins(rows.bin, rows.connections, metric)
        if found is not None:
            per_connection[metric] = found
        total = rows.connections.sum()
        lost = rows.connections[rows.bin == UNKNOWN_BIN].sum()
        unknown[metric] = float(lost / total) if total else 0.0
    hourly = {name: of_values(values) for name, values in per_hour.items()}
    ports, reference = tables["ports"], tables["reference"]
    return Profile(
        host=host,
        role=role,
        judged_by=judged_by,
        days=len(days),
        first=date_of(days[0]) if days else None,
        last=date_of(days[-1]) if days else None,
        per_connection=per_connection,
        unknown=unknown,
        per_hour={name: found for name, found in hourly.items() if found is not None},
        per_minute=of_values(per_minute, _MINUTES),
        busiest_minute=busiest,
        rhythm=rhythm_of(hours, covered),
        protocols=shares_of(ports, "proto"),
        applications=shares_of(ports, "application"),
        ports=ports_of(ports),
        peers=peers_of(tables["peers"]),
        services=services_of(tables["offered"]),
        names=names_of(tables["lookups"], tables["names"]),
        shifts=shifts_of(tables, days),
        reference=len(reference),
        reference_stands_for=float(reference.connections.sum()),
    )


def _levels(hours: pd.DataFrame, role: pd.Series[str]) -> pd.Series[int]:
    """The level that most hours of each source are judged at."""
    weekday = weekday_of(hours.day)
    hour = hours.hour.to_numpy(int)
    keyed = pd.DataFrame(
        {
            "source": hours.source.to_numpy(),
            "week": weekday * 24 + hour,
            "days": (weekday >= _SATURDAY) * 24 + hour,
            "role": role.reindex(hours.source).fillna("").to_numpy(),
        }
    )
    level = np.full(len(keyed), -1)
    groups = (["source", "week"], ["source", "days"], ["source"], ["role"])
    sizes = [keyed.groupby(keys).role.transform("size").to_numpy() for keys in groups]
    sizes.append(np.full(len(keyed), len(keyed)))
    for number, size in reversed(list(enumerate(sizes))):
        level[size >= FEWEST] = number
    counted = keyed.assign(level=level).groupby(["source", "level"]).size()
    # Of levels with as many hours the narrowest; what was never seen in hours is not there.
    ordered = counted.reset_index(name="hours").sort_values(
        ["source", "hours", "level"], ascending=[True, False, True]
    )
    return ordered.drop_duplicates("source").set_index("source").level

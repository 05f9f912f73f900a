"""What a host uses, meets, offers and asks for: ports, protocols, peers, services, names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.baseline.coverage import date_of
from analyzer.baseline.distribution import Distribution, of_values

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class PortUse:
    """Connections to one port that spoke one protocol.

    Attributes:
        proto: transport protocol.
        port: the responder's; 0 for ICMP and for the rest of a day's many together.
        application: what Zeek says they spoke; empty if nothing.
        connections: how many.
        share: of all connections.
        outside: share of these that went to hosts that are not local.
        bytes_out: payload bytes sent in them.
        days: on how many days.
    """

    proto: str
    port: int
    application: str
    connections: float
    share: float
    outside: float
    bytes_out: float
    days: int


@dataclass(frozen=True, slots=True)
class Share:
    """One of the kinds that connections are of, and the share of them that are."""

    name: str
    connections: float
    share: float


@dataclass(frozen=True, slots=True)
class Peer:
    """A host met: its address, whether it is not local, the first and the last day.

    Of what was met again the two are the beginning and the end of what past days are kept in
    together (:mod:`analyzer.baseline.folding`).
    """

    address: str
    outside: bool
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Service:
    """A port that a local host answers on.

    Attributes:
        host: who answers.
        proto: transport protocol.
        port: which port.
        first: first day.
        last: last day.
        clients: most hosts answered on one day.
    """

    host: str
    proto: str
    port: int
    first: str
    last: str
    clients: int


@dataclass(frozen=True, slots=True)
class Domain:
    """A registered domain among those asked for most, with its DNS transactions."""

    name: str
    queries: float


@dataclass(frozen=True, slots=True)
class Names:
    """What is asked for in DNS, by day.

    Attributes:
        unique: different names a day; of a network, a name counts for each host that asks for it.
        domains: different registered domains a day, likewise.
        refused: names a day that do not exist (NXDOMAIN), likewise.
        length: mean length of a day's different names.
        longest: length of the longest name of a day.
        top: the registered domains asked for most, each day's ten of each host added up.
    """

    unique: Distribution | None
    domains: Distribution | None
    refused: Distribution | None
    length: Distribution | None
    longest: Distribution | None
    top: tuple[Domain, ...]


def ports_of(ports: pd.DataFrame) -> tuple[PortUse, ...]:
    """Ports by use, most used first.

    Args:
        ports: rows of table ``ports``.
    """
    # Hosts have a few dozen rows each: plain dictionaries are ten times as fast as a group-by.
    sums: defaultdict[tuple[str, int, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    days: defaultdict[tuple[str, int, str], set[int]] = defaultdict(set)
    for row in _rows(
        ports, "proto", "port", "application", "connections", "outside", "bytes_out", "day"
    ):
        proto, port, application, connections, outside, bytes_out, day = row
        key = str(proto), int(port), str(application)
        for place, number in enumerate((connections, connections * outside, bytes_out)):
            sums[key][place] += number
        days[key].add(day)
    total = sum(connections for connections, _, _ in sums.values())
    return tuple(
        PortUse(
            *key,
            connections=float(connections),
            share=_part(connections, total),
            outside=_part(outside, connections),
            bytes_out=float(bytes_out),
            days=len(days[key]),
        )
        for key, (connections, outside, bytes_out) in sorted(
            sums.items(), key=lambda item: (-item[1][0], item[0])
        )
    )


def shares_of(ports: pd.DataFrame, column: str) -> tuple[Share, ...]:
    """How connections divide among the values of a column, the largest share first."""
    sums: defaultdict[str, float] = defaultdict(float)
    for name, connections in _rows(ports, column, "connections"):
        sums[str(name)] += float(connections)
    total = sum(sums.values())
    return tuple(
        Share(name, connections, _part(connections, total))
        for name, connections in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    )


def peers_of(peers: pd.DataFrame) -> tuple[Peer, ...]:
    """Hosts met, those first seen last first."""
    rows = sorted(
        _rows(peers, "peer", "outside", "first_day", "last_day"),
        key=lambda row: (-row[2], -row[3], row[0]),
    )
    return tuple(
        Peer(str(address), bool(outside), date_of(int(first)), date_of(int(last)))
        for address, outside, first, last in rows
    )


def services_of(offered: pd.DataFrame) -> tuple[Service, ...]:
    """Services offered, those with most clients first."""
    rows = sorted(
        _rows(offered, "source", "proto", "port", "first_day", "last_day", "clients"),
        key=lambda row: (-row[5], *row[:3]),
    )
    return tuple(
        Service(
            str(host), str(proto), int(port), date_of(int(first)), date_of(int(last)), int(clients)
        )
        for host, proto, port, first, last, clients in rows
    )


def names_of(lookups: pd.DataFrame, names: pd.DataFrame) -> Names:
    """What is asked for in DNS.

    Args:
        lookups: rows of table ``lookups``, of one host or of all.
        names: rows of table ``names``, likewise.
    """
    daily = lookups.groupby("day").agg(_DAILY)
    daily = daily[daily.names > 0]
    queries: defaultdict[str, float] = defaultdict(float)
    for domain, number in _rows(names, "domain", "queries"):
        queries[str(domain)] += float(number)
    return Names(
        unique=of_values(daily.names),
        domains=of_values(daily.domains),
        refused=of_values(daily.refused),
        length=of_values(daily.letters / daily.names),
        longest=of_values(daily.longest),
        top=tuple(
            Domain(name, number)
            for name, number in sorted(queries.items(), key=lambda item: (-item[1], item[0]))
        ),
    )


_DAILY = {"names": "sum", "domains": "sum", "refused": "sum", "letters": "sum", "longest": "max"}


def _rows(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[column].tolist() for column in columns), strict=True)


def _part(some: float, of: float) -> float:
    return float(some / of) if of else 0.0

"""Lateral movement: a host takes charge of several others that it never administered before.

Remote administration is logged as any other connection; what is odd is who does it. Servers are
administered, and used by all (:mod:`~analyzer.detectors.moves`); a workstation that within an hour
opens SMB, RDP, WinRM or SSH sessions with several others is what intruders look like once they have
a foothold (ATT&CK TA0008). How many hosts are too many follows from the number of such first
sessions that the source shows at other times, and all others of the site: the tail of a Poisson
distribution. Failed connections do not count: they are scans.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
from scipy.special import gammainc

from analyzer.detectors.administration import PROTOCOLS, acquaintances, clients, sessions
from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_contacts,
    shared_local_hosts,
)
from analyzer.detectors.login_series import busiest
from analyzer.detectors.moves import SERVER, Moves, chains, moves
from analyzer.features import DAY, HOUR
from analyzer.findings import Evidence, duration
from analyzer.parameters import Seconds

if TYPE_CHECKING:
    from analyzer.records import Records


# -log10 of the chance of so many first sessions within the window -> score. Three hosts where none
# are expected make 3.8, five make 7.1, nine make 14.6.
_CURVE = ((0.0, 0.0), (3.5, 0.7), (7.0, 0.8), (14.0, 0.9), (24.0, 0.95), (300.0, 0.99))
_SMALLEST = 1e-300
# What to expect of a host of which nothing is known, per hour.
_PRIOR = 0.1
# Most of the hosts must be returned to for a routine: over hours or on another day.
_RETURNED = 0.5
_RETURN = 4 * HOUR
# A routine begins with the data, or with the day of the one who has it.
_EARLY = 0.1
_ROUTINE, _SERVER = 0.75, 0.79
# Whoever talked with a host for an hour before, and three times, knows it.
_KNOWN_FOR, _KNOWN_TALKS = HOUR, 3
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Parameters:
    """In what time hosts are reached, and how moves make a chain."""

    window: Seconds = field(default=3600.0, metadata={"meaning": "time in which hosts are reached"})
    hosts: int = field(
        default=3, metadata={"meaning": "hosts, servers counting half, below which none tells"}
    )
    gap: Seconds = field(
        default=7200.0, metadata={"meaning": "longest time between two moves of a chain"}
    )


def shared_moves(records: Records, shared: Shared) -> Moves:
    """The odd first sessions, computed once; see :func:`analyzer.detectors.moves.moves`."""

    def compute() -> Moves:
        met = shared_contacts(records, shared)
        served = clients(met).to_pandas()
        found = sessions(met).order_by("orig_h", "resp_h", "protocol").to_pandas()
        known = dict(zip(served.resp_h, served.clients.tolist(), strict=True))
        return moves(found, known, records.first or 0.0)

    return shared.get((__name__, "moves"), compute)


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Sources with more first sessions within the window than chance explains."""
    every = shared_moves(records, shared)
    totals = every.rows.groupby("orig_h").weight.sum()
    wide = sorted(totals[totals >= parameters.hosts].index)
    if not wide:
        return
    moved = _strangers(records, shared, every.rows[every.rows.orig_h.isin(wide)])
    present = _presence(records, shared, wide)
    data = _Data(
        seconds=max((records.last or 0.0) - (records.first or 0.0), parameters.window),
        hosts=max(shared_local_hosts(records, shared), 1),
        total=float(totals.sum()),
        every=every,
        chains={chain.hosts[0]: str(chain) for chain in chains(every.rows, parameters.gap)},
    )
    for source, own in moved.groupby("orig_h", sort=True):
        begin, end = busiest(own["first"].to_numpy(), parameters.window, own.weight.to_numpy())
        if own.weight.iloc[begin:end].sum() >= parameters.hosts:
            breadth = _Breadth(own, own.iloc[begin:end], present[str(source)])
            yield _detection(breadth, data, parameters)


@dataclass(frozen=True, slots=True)
class _Data:
    """What all sources are compared with.

    Attributes:
        seconds: how long the data are, at least a window.
        hosts: how many local hosts there are.
        total: the weights of all moves added.
        every: the moves.
        chains: the chain that begins at a host, as text.
    """

    seconds: float
    hosts: int
    total: float
    every: Moves
    chains: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Breadth:
    """What one source did.

    Attributes:
        moves: all its moves, by time.
        window: those in the window with most of them.
        present: when the source was first and last seen.
    """

    moves: pd.DataFrame
    window: pd.DataFrame
    present: tuple[float, float]

    @property
    def source(self) -> str:
        """Its address."""
        return str(self.window.orig_h.iloc[0])

    def expected(self, data: _Data, window: float) -> float:
        """How many hosts, servers counting half, a window like any other would hold."""
        oddness, own = float(self.window.weight.sum()), float(self.moves.weight.sum())
        # Nobody administers at night: only the time in which the source is there counts.
        elsewhere = (own - oddness) / max(self.present[1] - self.present[0] - window, window)
        others = (data.total - own) / data.hosts / data.seconds
        return _PRIOR * window / HOUR + window * (elsewhere + max(others, 0.0))

    def returned(self) -> float:
        """Share of the hosts that were returned to, hours later or on another day."""
        later = (self.window["last"] - self.window["first"] >= _RETURN) | (self.window.days > 1)
        return float(later.mean())

    def is_early(self) -> bool:
        """Whether the source had hardly been seen before: then nothing says this is new."""
        first, last = self.present
        return float(self.window["first"].min()) - first <= _EARLY * (last - first)


def _presence(
    records: Records, shared: Shared, sources: list[str]
) -> dict[str, tuple[float, float]]:
    """When each source was first and last seen to ask for anything."""
    met = shared_contacts(records, shared)
    own = met.filter(met.orig_h.isin(sources))
    seen = own.group_by("orig_h").aggregate(begin=own["first"].min(), end=own["last"].max())
    return {row["orig_h"]: (row["begin"], row["end"]) for row in seen.to_pyarrow().to_pylist()}


def _strangers(records: Records, shared: Shared, moved: pd.DataFrame) -> pd.DataFrame:
    """Moves but for those at hosts that the source had long talked with: monitors, backups."""
    pairs = records.keep(
        pa.Table.from_pandas(moved[["orig_h", "resp_h"]], preserve_index=False), "moved_pairs"
    )
    known = acquaintances(shared_contacts(records, shared), pairs).to_pandas()
    both = moved.merge(known, on=["orig_h", "resp_h"], how="left")
    friends = (both["first"] - both.met_first >= _KNOWN_FOR) & (both.talks >= _KNOWN_TALKS)
    return both[~friends]


def _routine(breadth: _Breadth, data: _Data) -> tuple[float, str]:
    """What the score may be at most, and why; 1 if nothing speaks for a routine."""
    returned = breadth.returned() >= _RETURNED
    if returned and breadth.is_early():
        return _ROUTINE, "begins as the host is first seen, and most are returned to"
    protocols = {index for row in breadth.window.protocols for index in row}
    serves = data.every.clients.get(breadth.source, 0)
    if serves >= SERVER and len(protocols) == 1 and data.seconds < 2 * DAY:
        return _SERVER, f"a server of {serves} clients, by one protocol, on a single day"
    return 1.0, ""


def _detection(breadth: _Breadth, data: _Data, parameters: Parameters) -> Detection:
    window, source = breadth.window, breadth.source
    oddness = float(window.weight.sum())
    expected = breadth.expected(data, parameters.window)
    surprise = -math.log10(max(float(gammainc(oddness, expected)), _SMALLEST))
    most, routine = _routine(breadth, data)
    counts = Counter(index for row in window.protocols for index in row)
    commonest = max(sorted(counts), key=lambda index: counts[index])
    pairs = zip(window.protocols, window.ports, strict=True)
    ports = [int(ports[used.index(commonest)]) for used, ports in pairs if commonest in used]
    hosts = window.resp_h.tolist()
    begin, end = float(window["first"].min()), float(window["first"].max())
    evidence = [
        Evidence("hosts first administered in the window", len(hosts), threshold=parameters.hosts),
        Evidence("counting servers half", round(oddness, 1), expected=round(expected, 3)),
        Evidence("hosts it administers in all", len(breadth.moves)),
        Evidence("-log10 of the chance", round(surprise, 2), threshold=_CURVE[1][0]),
        Evidence("seen before for", round(max(begin - breadth.present[0], 0.0)), unit="s"),
        Evidence("sent", float(window.bytes_out.sum()), unit="B"),
        Evidence("received", float(window.bytes_in.sum()), unit="B"),
        Evidence("first hosts", ", ".join(hosts[:_SHOWN])),
    ]
    if source in data.chains:
        evidence.append(Evidence("chain", data.chains[source]))
    if routine:
        evidence.append(Evidence("may be routine", routine))
    names = listed([PROTOCOLS[index].name for index in sorted(counts)])
    return Detection(
        source=source,
        port=min(ports),
        proto="tcp",
        first=begin,
        last=end,
        score=min(score_on(surprise, _CURVE), most),
        message=f"{source} opened sessions by {names} with {len(hosts)} local hosts that it never "
        f"administered before, within {duration(end - begin)}",
        evidence=tuple(evidence),
        connections=int(window.connections.sum()),
        technique=PROTOCOLS[commonest].technique,
    )


def listed(names: Sequence[str]) -> str:
    """Names as a person lists them."""
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last


DETECTOR = Detector("lateral_movement", Parameters, find)

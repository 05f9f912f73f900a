"""Fan-out: many new hosts on one port at once, even though they answer.

A scan or a worm whose targets answer leaves no failures to walk on. What is left is its breadth: a
source reaches many hosts that it never reached before, on one port, within minutes, and does not
come back. Two kinds of honest breadth are told apart. A host that looks for names first (browsing)
meets outside hosts that stood in DNS answers, and nearly all of them answer, while a scanner takes
addresses from thin air (Whyte, Kranakis and van Oorschot, "DNS-based Detection of Scanning Worms in
an Enterprise Network", NDSS 2005). A monitor or backup server meets many local hosts, but returns to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.stats import binom

from analyzer.detectors.detection import Detection, Detector, Shared, score_on
from analyzer.features import contacts
from analyzer.findings import Evidence, Severity, duration
from analyzer.parameters import Seconds, Share

if TYPE_CHECKING:
    from analyzer.records import Records

# Resolvers and time servers meet as many hosts as there are, by nature.
_INFRASTRUCTURE_PORTS = (53, 123, 853)
_DNS_PORT = 53

# Share of hosts met elsewhere from which a source is one that looks up what it meets.
_HABIT = 0.7
_ROUTINE = 0.5

# Chance of so many unanswered outside contacts in an honest window; below it, they speak.
_CHANCE = 1e-3

# New hosts over the threshold -> score.
_CURVE = ((0.0, 0.0), (0.75, 0.7), (1.0, 0.8), (2.0, 0.85), (5.0, 0.9), (20.0, 0.95), (1e4, 0.99))


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many new hosts, how fast."""

    proto: Literal["tcp", "icmp"] = field(
        default="tcp", metadata={"meaning": "protocol of the contacts"}
    )
    window: Seconds = field(default=300.0, metadata={"meaning": "time in which hosts are met"})
    hosts: int = field(
        default=20,
        metadata={"meaning": "new hosts on one port from which it is reported at medium"},
    )
    return_share: Share = field(
        default=0.2, metadata={"meaning": "share of hosts returned to from which it is a routine"}
    )
    honest_failure: Share = field(
        default=0.1,
        metadata={"meaning": "share of outside hosts that do not answer a host that looks them up"},
    )
    lookup_horizon: Seconds = field(
        default=3600.0, metadata={"meaning": "how long before a contact its name may be looked up"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Sources that met more new hosts on one port than their lookups and routine explain."""
    table = shared.get(contacts, lambda: contacts(records))
    met = table.filter(
        (table.proto == parameters.proto) & ~table.resp_p.isin(_INFRASTRUCTURE_PORTS)
    )
    keys = ("orig_h", "resp_p", "resp_h")
    met = met.group_by(*keys).aggregate(
        first=met["first"].min(),
        last=met["last"].max(),
        connections=met.connections.sum(),
        answered=met.answered.any(),
        local_orig=met.local_orig.any(),
        local_resp=met.local_resp.any(),
    )
    bucket = (met["first"] / parameters.window).floor().cast("int64")
    crowded = met.group_by("orig_h", "resp_p", bucket=bucket).aggregate(hosts=met.count())
    # The best window lies in two neighbouring buckets, one of which holds half of it.
    suspects = crowded.filter(crowded.hosts >= parameters.hosts * 3 / 8)
    # All that a suspect met, to know whether it looks up what it meets.
    frame = (
        met.semi_join(suspects.select("orig_h").distinct(), "orig_h")
        .order_by("orig_h", "resp_p", "first", "resp_h")
        .to_pandas()
    )
    if frame.empty:
        return
    frame = frame[records.local.are_local(frame.orig_h, frame.local_orig)]
    frame = frame.assign(is_local=records.local.are_local(frame.resp_h, frame.local_resp))
    looked_up = _LookedUp(records, frame[~frame.is_local], parameters)
    for (source, port, inside), there in frame.groupby(["orig_h", "resp_p", "is_local"], sort=True):
        if len(there) < parameters.hosts / 2:
            continue
        window = _widest(there, parameters.window)
        if score_on(len(window) / parameters.hosts, _CURVE) < Severity.LOW.bound:
            continue
        explained = _Explained() if inside else looked_up.explain(str(source), window)
        if explained is not None:
            yield from _detection(str(source), int(port), window, explained, parameters)


@dataclass(frozen=True, slots=True)
class _Explained:
    """What lookups say of the hosts met in a window.

    Attributes:
        hosts: how many of them they account for.
        habitual: whether the source is known to look up what it meets.
    """

    hosts: int = 0
    habitual: bool = True


class _LookedUp:
    """Which outside hosts have been looked up, as far as the logs show.

    With dns.log, an address is looked up if it was ever answered to anyone. Without, all that is
    known is how many questions a source asked, from its connections to resolvers.
    """

    def __init__(self, records: Records, outside: pd.DataFrame, parameters: Parameters) -> None:
        self._answered = _answered(records, outside)
        self._asked = {} if self._answered else _asked(records, outside)
        known = outside.resp_h.isin(self._answered).groupby(outside.orig_h)
        self._met: dict[str, int] = known.size().to_dict()
        self._known: dict[str, int] = known.sum().to_dict()
        self._parameters = parameters

    def explain(self, source: str, window: pd.DataFrame) -> _Explained | None:
        """How far lookups explain a window; None where no lookup of the source is ever seen."""
        if self._answered:
            here = int(window.resp_h.isin(self._answered).sum())
            elsewhere = self._met[source] - len(window)
            habitual = elsewhere >= self._parameters.hosts and (
                self._known[source] - here >= _HABIT * elsewhere
            )
            return _Explained(here, habitual)
        asked = self._asked.get(source)
        if asked is None:
            return None
        begin, end = window["first"].iloc[0], window["first"].iloc[-1]
        begin -= self._parameters.lookup_horizon
        return _Explained(int(((asked >= begin) & (asked <= end)).sum()), habitual=False)


def _answered(records: Records, outside: pd.DataFrame) -> frozenset[str]:
    """Those of the addresses that stand in some DNS answer."""
    if not records.counts["dns"] or outside.empty:
        return frozenset()
    wanted = records.keep(
        pa.table(
            {"address": sorted(outside.resp_h.unique())}, pa.schema([("address", pa.string())])
        ),
        "fan_out_addresses",
    )
    answers = records.dns.select(address=records.dns.answers.unnest())
    return frozenset(wanted.semi_join(answers, "address").address.to_pandas())


def _asked(records: Records, outside: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    """When each source asked a resolver."""
    conn = records.conn
    sources = sorted(outside.orig_h.unique())
    asked = conn.filter((conn.resp_p == _DNS_PORT) & conn.orig_h.isin(sources))
    frame = asked.select("orig_h", "ts").to_pandas()
    return {str(source): group.ts.to_numpy() for source, group in frame.groupby("orig_h")}


def _widest(met: pd.DataFrame, length: float) -> pd.DataFrame:
    """The rows of the window in which most hosts were met first; `met` is sorted by that time."""
    first = met["first"].to_numpy()
    start = np.searchsorted(first, first - length, side="left")
    end = int(np.argmax(np.arange(1, first.size + 1) - start))
    return met.iloc[start[end] : end + 1]


def _detection(
    source: str, port: int, window: pd.DataFrame, explained: _Explained, parameters: Parameters
) -> Iterator[Detection]:
    new, inside = len(window), bool(window.is_local.iloc[0])
    failed = int((~window.answered).sum())
    if failed > new / 2:
        # Where most fail, the walk of the scan detector has more to say.
        return
    chance = float(binom.sf(failed - 1, new, parameters.honest_failure))
    if not explained.habitual and chance > _CHANCE:
        # Looked up where we cannot see it (an encrypted resolver, another address of the host).
        return
    unexplained = max(0, new - explained.hosts)
    returned = float((window["last"] - window["first"] > parameters.window).mean())
    score = score_on(unexplained / parameters.hosts, _CURVE)
    if returned >= parameters.return_share:
        score = min(score, _ROUTINE)
    first, last = float(window["first"].iloc[0]), float(window["first"].iloc[-1])
    where = "local hosts" if inside else "outside hosts"
    icmp = parameters.proto == "icmp"
    how = "with ICMP requests" if icmp else f"on {port}/tcp"
    lookups = "" if inside else f", {unexplained} of them without a name looked up"
    yield Detection(
        source=source,
        port=None if icmp else port,
        proto=parameters.proto,
        first=first,
        last=last,
        score=score,
        message=f"{source} reached {new} new {where} {how} within {duration(last - first)}{lookups}",
        evidence=(
            Evidence(
                f"new {where}",
                new,
                expected=None if inside else explained.hosts,
                threshold=parameters.hosts,
            ),
            Evidence("hosts returned to", round(returned, 3), threshold=parameters.return_share),
            Evidence(
                "of them without an answer",
                failed,
                expected=None if inside else round(new * parameters.honest_failure),
            ),
        ),
        connections=int(window.connections.sum()),
        technique="T1018" if icmp else None,
    )


DETECTOR = Detector("fan_out", Parameters, find)

"""Persistent failed contact: one outside service tried again and again that never answers.

An implant whose control server is gone keeps calling. Its calls fail at once or after a timeout, so
they have no period to find; what is left is that they do not stop. So do the calls of honest
programs to honest servers that are down, and nothing in the calls themselves tells one from the
other. What does is how many there are, for how long, and their surroundings:

- *Tries* are counted in slots of five seconds, since one try makes several connections (retries
  after a reset, both address families, browsers' spare ones).
- A server's outage ends. Where the service answered after the failures nothing is reported, and
  where it answered before, silence must last a day. On ports that honest programs use, failures
  must outlast an outage too; on any other, half an hour will do.
- Honest queues are patient: a mail queue tries every 30 minutes at the most (RFC 5321, 4.5.4.1).
  Who tries more often for hours was not written to be a good neighbour. Mail hosts, whose other
  partners answer, are left out even so.
- What many hosts fail to reach is blocked or broken for all; so is a port on which no host is ever
  answered. Failures that are spread over many destinations (scans, peer-to-peer, broken IPv6) are
  what their source does everywhere: only a destination that stands out from them counts.
- Silence is no failure where the protocol need not answer (syslog, NetFlow, statistics over UDP; a
  firewall that drops ICMP), so those are never more than a hint.

Slips reports the fifth rejected reconnection to one port (its module flowalerts); to a SYN that
nobody answers it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis
from ibis import _

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    prevalence_modifier,
    score_on,
    shared_destinations,
    shared_local_hosts,
)
from analyzer.detectors.outward import (
    KEYS,
    MAIL_PORTS,
    is_ordinary,
    is_reachable,
    outward,
    port_of,
    service,
    technique,
)
from analyzer.findings import Evidence, duration
from analyzer.parameters import Seconds, Share

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.records import Records

# Tries over the threshold -> score. At the default of 60, a report needs 24 tries (one an hour for
# a day), and medium more than the 48 of a mail queue that keeps to RFC 5321 all day.
_TRIES = ((0.2, 0.5), (0.4, 0.7), (1.0, 0.8), (4.0, 0.9), (16.0, 0.94))
# Time spent trying over the time that speaks -> score.
_LASTING = ((0.1, 0.5), (1 / 3, 0.7), (1.0, 0.8), (8.0, 0.9), (48.0, 0.95))

# Fewer tries of one address are not even added to those of others.
_FEWEST = 12
# A half day in which fewer than this share failed holds no run worth looking for.
_HALF_DAY_SHARE = 0.25
_HOUR = 3600.0
# RFC 5321, 4.5.4.1: "the retry interval SHOULD be at least 30 minutes".
_PATIENT = 2.0

# Scores that what explains the failures leaves: kept but not reported, and a hint.
_EXPLAINED = 0.6
_HINT = 0.79
# Local hosts that make a policy, destinations that make a spread.
_SEVERAL = 3
_SPREAD = 10
_CUT_OFF = 5
# Times the tries of the source's other silent destinations (their upper quartile).
_STANDS_OUT = 5


@dataclass(frozen=True, slots=True)
class Parameters:
    """How often, and for how long."""

    tries: int = field(
        default=60, metadata={"meaning": "tries without an answer from which it may be medium"}
    )
    slot: Seconds = field(
        default=5.0, metadata={"meaning": "time within which connections are one try"}
    )
    silent_share: Share = field(
        default=0.95,
        metadata={"meaning": "share of failures from which a stray answer is overlooked"},
    )
    lasting: Seconds = field(
        default=1800.0, metadata={"meaning": "time of trying that speaks, on an unusual port"}
    )
    outage: Seconds = field(
        default=14_400.0, metadata={"meaning": "the same on a port that honest programs use"}
    )
    departure: Seconds = field(
        default=86_400.0, metadata={"meaning": "the same for a service that answered before"}
    )
    policy_share: Share = field(
        default=0.25,
        metadata={"meaning": "share of local hosts failing alike from which it is blocked for all"},
    )
    fallbacks: int = field(
        default=10,
        metadata={"meaning": "most silent addresses on one port that may belong together"},
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Outside services that a local host tried persistently without an answer."""
    runs = _runs(records, parameters, shared)
    if runs.empty:
        return
    surroundings = _Surroundings.around(runs, records, shared)
    for key, group in runs.groupby(["orig_h", "resp_p", "proto"], sort=True):
        members = group.sort_values(["tries", "resp_h"], ascending=[False, True])
        yield _detection(key, members, surroundings, parameters)


def _runs(records: Records, parameters: Parameters, shared: Shared) -> pd.DataFrame:
    """For each pair that may matter, its longest run of tries without an answer."""
    out = outward(records, shared)
    share = out.failed / out.connections
    pairs = out.group_by(*KEYS).aggregate(
        failed=out.failed.sum(), connections=out.connections.sum(), worst=share.max()
    )
    pairs = pairs.filter((pairs.failed >= _FEWEST) & (pairs.worst >= _HALF_DAY_SHARE))
    silent = pairs.failed >= parameters.silent_share * pairs.connections
    pairs = records.keep(pairs.select(*KEYS, silent=silent), "persistent_failure_pairs")
    conn = records.conn
    rows = conn.filter(conn.request).select(
        "orig_h", "resp_h", "proto", "ts", "answered", resp_p="tried_p"
    )
    rows = rows.join(pairs, KEYS)
    before = ibis.cumulative_window(group_by=KEYS, order_by=["ts", "answered"])
    rows = rows.mutate(
        answers=rows.answered.cast("int64").sum().over(before),
        every=rows.answered.cast("int64").sum().over(ibis.window(group_by=KEYS)),
    )
    rows = rows.mutate(run=ibis.ifelse(rows.silent, 0, rows.answers))
    failed = rows.filter(~rows.answered)
    runs = failed.group_by(*KEYS, "run", "silent", "every").aggregate(
        tries=(failed.ts / parameters.slot).floor().nunique(),
        hours=(failed.ts / _HOUR).floor().nunique(),
        failed=failed.count(),
        first=failed.ts.min(),
        last=failed.ts.max(),
    )
    runs = runs.filter(runs.tries >= _FEWEST)
    best = ibis.row_number().over(group_by=KEYS, order_by=[runs.tries.desc(), runs["first"]])
    runs = runs.mutate(rank=best).filter(_["rank"] == 0).drop("rank").order_by(*KEYS)
    frame = runs.to_pandas()
    return frame[frame.resp_h.map(is_reachable).astype(bool)].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What else goes on around the runs.

    Attributes:
        hosts: local hosts.
        met: local hosts that tried each destination.
        ports: of each port and protocol, local hosts that tried it outside, those that were ever
            answered, and destinations that never answered.
        sources: of each source and address family, outside addresses that answered and that did
            not, and how often the silent ones are usually tried.
        mailers: sources that get answers from outside mail servers.
    """

    hosts: int
    met: dict[str, int]
    ports: dict[tuple[int, str], tuple[int, int, int]]
    sources: dict[tuple[str, bool], tuple[int, int, float]]
    mailers: frozenset[str]

    def several(self, parameters: Parameters) -> float:
        """How many local hosts that fail alike make a policy."""
        return max(_SEVERAL, parameters.policy_share * self.hosts)

    @classmethod
    def around(cls, runs: pd.DataFrame, records: Records, shared: Shared) -> _Surroundings:
        """What goes on around these runs."""
        out = outward(records, shared)
        known = shared_destinations(records, shared)
        met = known.filter(known.resp_h.isin(sorted(set(runs.resp_h)))).to_pandas()
        ports = out.filter(out.resp_p.isin(sorted({int(port) for port in runs.resp_p})))
        ends = ports.group_by(*KEYS).aggregate(answered=ports.answered.any())
        tried = ends.group_by("resp_p", "proto").aggregate(
            tried=ends.orig_h.nunique(),
            answered=ends.orig_h.nunique(where=ends.answered),
            silent=ends.resp_h.nunique(where=~ends.answered),
        )
        own = out.filter(out.orig_h.isin(sorted(set(runs.orig_h))))
        addresses = own.group_by("orig_h", "resp_h").aggregate(
            answered=own.answered.any(), failed=own.failed.sum().cast("float64")
        )
        addresses = addresses.mutate(six=addresses.resp_h.contains(":"))
        sources = addresses.group_by("orig_h", "six").aggregate(
            answered=addresses.answered.sum(),
            silent=(~addresses.answered).sum(),
            usual=addresses.failed.quantile(0.75, where=~addresses.answered).fill_null(0.0),
        )
        mail = own.filter(own.answered & own.resp_p.isin(MAIL_PORTS)).orig_h
        return cls(
            hosts=shared_local_hosts(records, shared),
            met=dict(zip(met.resp_h, met.sources.astype(int), strict=True)),
            ports={
                (int(row.resp_p), row.proto): (row.tried, row.answered, row.silent)
                for row in tried.to_pandas().itertuples()
            },
            sources={
                (row.orig_h, bool(row.six)): (row.answered, row.silent, row.usual)
                for row in sources.to_pandas().itertuples()
            },
            mailers=frozenset(mail.name("orig_h").as_table().distinct().to_pandas().orig_h),
        )


def _detection(
    key: tuple[str, int, str],
    members: pd.DataFrame,
    around: _Surroundings,
    parameters: Parameters,
) -> Detection:
    source, port, proto = key[0], int(key[1]), key[2]
    most = members.iloc[0]
    tries, hours = int(members.tries.sum()), int(members.hours.max())
    first, last = float(members["first"].min()), float(members["last"].max())
    # Two bursts a day apart do not make a day of trying.
    lasted = min(last - first, hours * _HOUR)
    answered_before = bool((members.run > 0).any())
    needed = _needed(port, proto, parameters, answered_before=answered_before)
    met = max(around.met.get(address, 1) for address in members.resp_h)
    score = min(score_on(tries / parameters.tries, _TRIES), score_on(lasted / needed, _LASTING))
    score += prevalence_modifier(met, around.hosts)
    explanation, bound = _explained(key, members, around, parameters)
    score = round(min(max(score, 0.0), bound), 6)
    several = len(members) > 1
    whom = f"{len(members)} outside addresses" if several else most.resp_h
    rate = tries / max(lasted / _HOUR, 1.0)
    evidence = [
        Evidence("tries without an answer", tries, threshold=parameters.tries),
        Evidence("connections that failed", int(members.failed.sum())),
        Evidence("time of trying", round(lasted, 3), threshold=needed, unit="s"),
        Evidence("hours of the clock in which it tried", hours),
        Evidence("tries an hour", round(rate, 2), expected=_PATIENT),
        Evidence("answered before", "yes" if answered_before else "no", expected="yes"),
        Evidence("local hosts that met it", met, threshold=around.several(parameters)),
    ]
    if several:
        evidence.append(Evidence("most tried", ", ".join(members.resp_h.iloc[:_CUT_OFF])))
    if explanation:
        evidence.append(Evidence("what may explain it", explanation))
    return Detection(
        source=source,
        destination=None if several else most.resp_h,
        port=port_of(port, proto),
        proto=proto,
        first=first,
        last=last,
        score=score,
        message=(
            f"{source} tried {whom} {tries:,} times {service(port, proto)} within "
            f"{duration(last - first)} without an answer"
        ),
        evidence=tuple(evidence),
        connections=int(members.failed.sum()),
        technique="T1008" if several else technique(port, proto),
        best="failed",
    )


def _needed(port: int, proto: str, parameters: Parameters, *, answered_before: bool) -> float:
    """How long silence must last to speak."""
    if answered_before:
        return parameters.departure
    return parameters.outage if is_ordinary(port, proto) else parameters.lasting


def _explained(
    key: tuple[str, int, str],
    members: pd.DataFrame,
    around: _Surroundings,
    parameters: Parameters,
) -> tuple[str, float]:
    """What else explains the failures, if anything does, and the highest score it leaves."""
    source, port, proto = key[0], int(key[1]), key[2]
    tried, answered, silent = around.ports[port, proto]
    several = around.several(parameters)
    six = ":" in members.resp_h.iloc[0]
    heard, unheard, usual = around.sources[source, six]
    met = max(around.met.get(address, 1) for address in members.resp_h)
    spread = unheard >= _SPREAD and members.tries.iloc[0] < _STANDS_OUT * usual
    lasted = members["last"].max() - members["first"].min()
    rate = members.tries.sum() / max(lasted / _HOUR, 1.0)
    ended = members.every > members.run
    reasons = (
        ((~members.silent & ended).any(), "it answered again afterwards", _EXPLAINED),
        (met >= several, "many local hosts try it", _EXPLAINED),
        (
            tried >= several and answered == 0 and silent >= _SEVERAL,
            "nobody outside ever answers on this port",
            _EXPLAINED,
        ),
        (port in MAIL_PORTS and source in around.mailers, "a mail host's dead partner", _EXPLAINED),
        (len(members) > parameters.fallbacks, "too many silent addresses on this port", _EXPLAINED),
        (spread, "many other addresses are as silent to this host", _EXPLAINED),
        (
            heard == 0 and unheard >= _CUT_OFF,
            "no outside address ever answers this host",
            _EXPLAINED,
        ),
        (proto != "tcp", "a protocol that need not answer", _HINT),
        (is_ordinary(port, proto) and rate <= _PATIENT, "no more often than a mail queue", _HINT),
    )
    return next(((reason, bound) for holds, reason, bound in reasons if holds), ("", 1.0))


DETECTOR = Detector("persistent_failure", Parameters, find)

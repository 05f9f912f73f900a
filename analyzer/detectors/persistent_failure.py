"""Persistent failed contact: one outside service tried again and again that never answers.

An implant whose control server is gone keeps calling. Its calls fail at once or after a timeout, so
they have no period to find; what is left is that they do not stop. So do the calls of honest
programs to honest servers that are down, and nothing in the calls themselves tells one from the
other. What does is how many there are, for how long, and their surroundings:

- Connections less than five seconds apart are one *try*, since one makes several (retries after a
  reset, browsers' spare ones); those that go on like that are one every five seconds.
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
)
from analyzer.detectors.outward import (
    KEYS,
    is_ordinary,
    is_reachable,
    outward,
    port_of,
    service,
    technique,
)
from analyzer.detectors.silence import Silence, Surroundings, explanation, surroundings
from analyzer.features import HOUR
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
# RFC 5321, 4.5.4.1: "the retry interval SHOULD be at least 30 minutes".
_PATIENT = 2.0

# Scores that what explains the failures leaves: kept but not reported, and a hint.
_EXPLAINED = 0.6
_HINT = 0.79
# How many addresses evidence names.
_NAMED = 5


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
    around = surroundings(runs, parameters.policy_share, records, shared)
    for _key, group in runs.groupby(["orig_h", "resp_p", "proto"], sort=True):
        # What answers again is no fallback of what does not.
        lasting = group[~group.ended]
        members = lasting if len(lasting) else group
        members = members.sort_values(["tries", "resp_h"], ascending=[False, True])
        most = members.iloc[0]
        silence = Silence(
            most.orig_h, int(most.resp_p), most.proto, tuple(members.resp_h), int(most.tries)
        )
        yield _detection(silence, members, around, parameters)


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
    ordered = {"group_by": (*KEYS, "run"), "order_by": "ts"}
    earlier = failed.ts.lag().over(ibis.window(**ordered))
    hour, hour_before = ((ts / HOUR).floor() for ts in (failed.ts, earlier))
    failed = failed.mutate(
        begins=(failed.ts - earlier > parameters.slot).fill_null(True).cast("int64"),
        new_hour=(hour > hour_before).fill_null(True).cast("int64"),
    )
    failed = failed.mutate(flurry=failed.begins.sum().over(ibis.cumulative_window(**ordered)))
    flurries = failed.group_by(*KEYS, "run", "silent", "every", "flurry").aggregate(
        # One that goes on is as many tries as fit in it.
        tries=1 + ((failed.ts.max() - failed.ts.min()) / parameters.slot).floor().cast("int64"),
        failed=failed.count(),
        first=failed.ts.min(),
        last=failed.ts.max(),
        hours=failed.new_hour.sum(),
    )
    runs = flurries.group_by(*KEYS, "run", "silent", "every").aggregate(
        tries=flurries.tries.sum().cast("int64"),
        hours=flurries.hours.sum().cast("int64"),
        failed=flurries.failed.sum().cast("int64"),
        first=flurries["first"].min(),
        last=flurries["last"].max(),
    )
    runs = runs.filter(runs.tries >= _FEWEST)
    best = ibis.row_number().over(group_by=KEYS, order_by=[runs.tries.desc(), runs["first"]])
    runs = runs.mutate(rank=best).filter(_["rank"] == 0).drop("rank").order_by(*KEYS)
    frame: pd.DataFrame = runs.to_pandas()
    frame["ended"] = ~frame.silent & (frame.every > frame.run)
    return frame.loc[frame.resp_h.map(is_reachable).astype(bool)].reset_index(drop=True)


def _detection(
    silence: Silence, members: pd.DataFrame, around: Surroundings, parameters: Parameters
) -> Detection:
    source, port, proto = silence.source, silence.port, silence.proto
    tries, hours = int(members.tries.sum()), int(members.hours.max())
    first, last = float(members["first"].min()), float(members["last"].max())
    # Two bursts a day apart do not make a day of trying.
    lasted = min(last - first, hours * HOUR)
    rate = (tries - 1) / max(lasted / HOUR, 1.0)
    answered_before = bool((members.run > 0).any())
    needed = _needed(port, proto, parameters, answered_before=answered_before)
    score = min(score_on(tries / parameters.tries, _TRIES), score_on(lasted / needed, _LASTING))
    score += prevalence_modifier(around.tried_by(silence), around.hosts)
    reason, bound = explanation(silence, around, parameters.fallbacks), _EXPLAINED
    if members.ended.any():
        reason = "it answered again afterwards"
    elif not reason:
        reason, bound = _doubt(port, proto, rate)
    several = len(silence.addresses) > 1
    whom = f"{len(silence.addresses)} outside addresses" if several else silence.addresses[0]
    evidence = [
        Evidence("tries without an answer", tries, threshold=parameters.tries),
        Evidence("connections that failed", int(members.failed.sum())),
        Evidence("time of trying", round(lasted, 3), threshold=needed, unit="s"),
        Evidence("hours of the clock in which it tried", hours),
        Evidence("tries an hour", round(rate, 2), expected=_PATIENT),
        Evidence("answered before", "yes" if answered_before else "no", expected="yes"),
        Evidence("local hosts that met it", around.tried_by(silence), threshold=around.several),
    ]
    if several:
        evidence.append(Evidence("most tried", ", ".join(silence.addresses[:_NAMED])))
    if reason:
        evidence.append(Evidence("what may explain it", reason))
    return Detection(
        source=source,
        destination=None if several else silence.addresses[0],
        port=port_of(port, proto),
        proto=proto,
        first=first,
        last=last,
        score=round(min(max(score, 0.0), bound), 6),
        message=(
            f"{source} tried {whom} {tries:,} times {service(port, proto)} within "
            f"{duration(last - first)} without an answer"
        ),
        evidence=tuple(evidence),
        connections=int(members.failed.sum()),
        technique="T1008" if several else technique(port, proto),
        alone=True,
        best="failed",
    )


def _needed(port: int, proto: str, parameters: Parameters, *, answered_before: bool) -> float:
    """How long silence must last to speak."""
    if answered_before:
        return parameters.departure
    return parameters.outage if is_ordinary(port, proto) else parameters.lasting


def _doubt(port: int, proto: str, rate: float) -> tuple[str, float]:
    """What keeps a silence that nothing explains from being more than a hint, and the bound."""
    if proto != "tcp":
        return "a protocol that need not answer", _HINT
    if is_ordinary(port, proto) and rate <= _PATIENT:
        return "no more often than a mail queue", _HINT
    return "", 1.0


DETECTOR = Detector("persistent_failure", Parameters, find)

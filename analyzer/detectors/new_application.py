"""New applications: a host speaks what neither it nor its like ever spoke.

What Zeek recognises of a connection's content does not depend on the port, so an application that
is new to a host is news even on port 443. How much of it follows from who else speaks it, inside or
outside alike: what others of its role use is no news, what nobody on the network ever spoke is, and
on networks where something new comes up every day it is less so
(:mod:`analyzer.baseline.novel_days`). Protocols other than TCP, UDP and ICMP (tunnels: GRE, ESP)
count as applications.

What several hosts begin with on one day is a roll-out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.novel_days import Novelty
from analyzer.baseline.roles import roles
from analyzer.detectors.comparison import Comparison, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.features import DAY
from analyzer.findings import Evidence, Severity, few_of
from analyzer.parameters import Probability

if TYPE_CHECKING:
    from analyzer.baseline.summary import Summary
    from analyzer.records import Records

# Of one family, whatever carries it; the rest is what Zeek calls it.
_FAMILIES = {
    "gssapi,smb": "smb",
    "krb_tcp": "krb",
    "ldap_tcp": "ldap",
    "ldap_udp": "ldap",
    "ftp-data": "ftp",
    "ssl,smtp": "smtp",
    "ssl,http": "http",
}
# What is not one application, and what carries names, leases and errors everywhere.
_NONE = ("", "another", "dhcp", "dns", "ntp", "gssapi", "ntlm")
_CARRIERS = ("tcp", "udp", "icmp")
# Ways to take charge of another machine; inside they are T1021.
_REMOTE = frozenset({"ssh", "rdp", "rfb", "telnet", "smb", "dce_rpc"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """How unlikely it must be."""

    false_alarm: Probability = field(
        default=3e-3, metadata={"meaning": "share of a host's ordinary days that may be reported"}
    )
    days: int = field(default=3, metadata={"meaning": "least days learned of the host"})
    connections: int = field(default=3, metadata={"meaning": "connections that count as use"})
    together: int = field(
        default=3, metadata={"meaning": "hosts that begin on one day, from which it is a roll-out"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Days on which a host began to speak what is new to it and its like."""
    for comparison in shared_comparisons(records, shared):
        yield from _compared(comparison, parameters)


def _compared(comparison: Comparison, parameters: Parameters) -> Iterator[Detection]:
    baseline = comparison.baseline
    spoken = _spoken(comparison.summary)
    spoken = spoken[spoken.connections >= parameters.connections]
    seen = baseline["hours"][["source", "day"]].drop_duplicates().groupby("source").size()
    usual = Novelty(_spoken(baseline.tables), ("speaks", "outside"), seen, roles(baseline))
    judged = usual.judge(spoken)
    rows = spoken.assign(
        chance=judged.chance,
        own_days=judged.own_days,
        own_times=judged.own_times,
        others=judged.others,
        others_times=judged.others_times,
        users=judged.users,
        together=spoken.groupby(["day", "speaks", "outside"]).source.transform("nunique"),
    )
    new = (rows.own_times == 0) & (rows.own_days >= parameters.days)
    rows = rows[new & (rows.chance <= parameters.false_alarm)]
    for _, own in rows.groupby(["source", "day"], sort=True):
        yield _detection(own, comparison, parameters)


def _spoken(tables: Summary) -> pd.DataFrame:
    """What each source spoke on each day: ``source day speaks outside proto port connections``.

    The port is the one that most connections went to.
    """
    ports = tables["ports"]
    speaks = ports.application.replace(_FAMILIES)
    speaks = speaks.where(ports.proto.isin(_CARRIERS), ports.proto)
    rows = ports.assign(speaks=speaks)[~speaks.isin(_NONE)]
    keys = ["source", "day", "speaks", "outside"]
    order = [*keys, "connections", "proto", "port"]
    rows = rows.sort_values(order, ascending=[True] * 4 + [False, True, True])
    most = rows.groupby(keys, as_index=False).first()
    total = rows.groupby(keys, as_index=False).connections.sum()
    return most[[*keys, "proto", "port"]].assign(connections=total.connections)


def _detection(rows: pd.DataFrame, comparison: Comparison, parameters: Parameters) -> Detection:
    ordered = rows.sort_values(["chance", "outside", "speaks"], ascending=[True, False, True])
    row = ordered.iloc[0]
    chance = float(row.chance)
    score = score_of_chance(chance, parameters.false_alarm)
    if row.together >= parameters.together:
        score = min(score, Severity.LOW.highest)
    spoken = [
        f"{each.speaks} {'outside' if each.outside else 'inside'}" for each in ordered.itertuples()
    ]
    whom = "nobody" if not row.users else "hardly a host of its role"
    is_remote = row.speaks in _REMOTE and not row.outside
    return Detection(
        source=str(row.source),
        port=int(row.port),
        proto=str(row.proto),
        first=float(row.day) * DAY,
        last=float(row.day + 1) * DAY,
        score=held_back(score, comparison),
        message=(
            f"{row.source} began to speak {few_of(spoken)}, which {whom} on this network did on "
            "the days learned"
        ),
        evidence=(
            Evidence("application", str(row.speaks)),
            Evidence("connections", float(row.connections), threshold=parameters.connections),
            Evidence("days of the host learned", float(row.own_days)),
            Evidence("hosts that spoke it then", float(row.users)),
            Evidence("days of others of its role", float(row.others)),
            Evidence("of them with it", float(row.others_times)),
            Evidence(
                "hosts that begin on that day", int(row.together), threshold=parameters.together
            ),
            *chance_evidence(chance, parameters.false_alarm, comparison),
        ),
        connections=int(ordered.connections.sum()),
        technique="T1021" if is_remote else "T1071",
    )


DETECTOR = Detector("new_application", Parameters, find, compares=True)

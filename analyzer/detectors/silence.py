"""What may explain that an outside service never answers a host, other than that it is gone.

Failures come from somewhere: a firewall that blocks a port for all, a service that is down for all,
a host without a way out, IPv6 that is routed nowhere, peers of a file sharer that went home, mail
for a domain that died. Each leaves traces in what else the same host, or other hosts, try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.detectors.detection import Shared, shared_destinations, shared_local_hosts
from analyzer.detectors.outward import KEYS, MAIL_PORTS, outward

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.records import Records

# Local hosts that make a policy, silent destinations that make a spread or a host cut off.
_SEVERAL = 3
_SPREAD = 10
_CUT_OFF = 5
# Times the tries of the source's other silent destinations, and which part of those has fewer.
_STANDS_OUT = 5
_USUAL = 0.75


@dataclass(frozen=True, slots=True)
class Silence:
    """What a host tried without an answer, on one port.

    Attributes:
        source: the host.
        port: the port it tried.
        proto: the protocol.
        addresses: the outside addresses, the most tried first.
        tries: how often it tried that one.
    """

    source: str
    port: int
    proto: str
    addresses: tuple[str, ...]
    tries: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else goes on around silences.

    Attributes:
        hosts: local hosts.
        several: how many local hosts that fail alike make a policy.
        met: local hosts that tried each destination.
        ports: of each port and protocol, local hosts that tried it outside, those that were ever
            answered, and destinations that never answered.
        sources: of each source and address family (whether IPv6), outside addresses that answered
            and that did not, and how often most of the silent ones are tried.
        mailers: sources that get answers from outside mail servers.
    """

    hosts: int
    several: float
    met: dict[str, int]
    ports: dict[tuple[int, str], tuple[int, int, int]]
    sources: dict[tuple[str, bool], tuple[int, int, float]]
    mailers: frozenset[str]

    def tried_by(self, silence: Silence) -> int:
        """How many local hosts tried the address that most of them tried."""
        return max(self.met.get(address, 1) for address in silence.addresses)


def surroundings(
    silent: pd.DataFrame, policy_share: float, records: Records, shared: Shared
) -> Surroundings:
    """What else goes on around pairs that are silent.

    Args:
        silent: the pairs, with the columns of :data:`analyzer.detectors.outward.KEYS`.
        policy_share: share of local hosts failing alike from which it is blocked for all.
        records: all records.
        shared: what other rules have computed.
    """
    out = outward(records, shared)
    hosts = shared_local_hosts(records, shared)
    known = shared_destinations(records, shared)
    met = known.filter(known.resp_h.isin(sorted(set(silent.resp_h)))).to_pandas()
    same = out.filter(out.resp_p.isin(sorted({int(port) for port in silent.resp_p})))
    ends = same.group_by(*KEYS).aggregate(answered=same.answered.any())
    ports = ends.group_by("resp_p", "proto").aggregate(
        tried=ends.orig_h.nunique(),
        answered=ends.orig_h.nunique(where=ends.answered),
        silent=ends.resp_h.nunique(where=~ends.answered),
    )
    own = out.filter(out.orig_h.isin(sorted(set(silent.orig_h))))
    addresses = own.group_by("orig_h", "resp_h").aggregate(
        answered=own.answered.any(), failed=own.failed.sum().cast("float64")
    )
    addresses = addresses.mutate(six=addresses.resp_h.contains(":"))
    sources = addresses.group_by("orig_h", "six").aggregate(
        answered=addresses.answered.sum(),
        silent=(~addresses.answered).sum(),
        usual=addresses.failed.quantile(_USUAL, where=~addresses.answered).fill_null(0.0),
    )
    mailers = own.filter(own.answered & own.resp_p.isin(MAIL_PORTS)).select("orig_h").distinct()
    return Surroundings(
        hosts=hosts,
        several=max(_SEVERAL, policy_share * hosts),
        met=dict(zip(met.resp_h, met.sources.astype(int), strict=True)),
        ports={
            (int(row.resp_p), row.proto): (row.tried, row.answered, row.silent)
            for row in ports.to_pandas().itertuples()
        },
        sources={
            (row.orig_h, bool(row.six)): (row.answered, row.silent, row.usual)
            for row in sources.to_pandas().itertuples()
        },
        mailers=frozenset(mailers.to_pandas().orig_h),
    )


def explanation(silence: Silence, around: Surroundings, fallbacks: int) -> str:
    """What explains a silence, empty if nothing does.

    Args:
        silence: what was tried without an answer.
        around: what else goes on.
        fallbacks: most silent addresses on one port that may belong together.
    """
    tried, answered, silent = around.ports[silence.port, silence.proto]
    heard, unheard, usual = around.sources[silence.source, ":" in silence.addresses[0]]
    reasons = {
        "many local hosts try it": around.tried_by(silence) >= around.several,
        "nobody outside ever answers on this port": (
            tried >= around.several and answered == 0 and silent >= _SEVERAL
        ),
        "a mail host's dead partner": (
            silence.port in MAIL_PORTS and silence.source in around.mailers
        ),
        "too many silent addresses on this port": len(silence.addresses) > fallbacks,
        "many other addresses are as silent to this host": (
            unheard >= _SPREAD and silence.tries < _STANDS_OUT * usual
        ),
        "no outside address ever answers this host": heard == 0 and unheard >= _CUT_OFF,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")

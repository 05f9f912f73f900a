"""Unusual shares of ports: a host whose connections go to a port far more than they ever did.

Here a port is known, to the host or to others, and only the share of the host's connections that
it gets is news: a workstation that opens SSH now and then, and on one day little else. New ports
are :mod:`analyzer.detectors.new_port`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analyzer.baseline.roles import roles
from analyzer.baseline.usual_days import UsualDays, is_weekend
from analyzer.detectors.behind import connections_behind, of_days
from analyzer.detectors.comparison import Comparison, comparable_days, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, of_several, score_of_chance
from analyzer.findings import Evidence
from analyzer.parameters import Probability, Share

if TYPE_CHECKING:
    from analyzer.records import Records

_PORT = ["proto", "port", "outside"]
_PER_MILLE = 1000.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """How much more, of how many."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    rise: Share = field(
        default=0.2, metadata={"meaning": "least part of its connections that is more than usual"}
    )
    connections: int = field(
        default=100, metadata={"meaning": "least connections to the port on the day"}
    )


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Host days of which one port gets far more than usual."""
    for comparison in shared_comparisons(records, shared):
        days = host_days(comparison, parameters)
        whole = days.day.isin(comparable_days(comparison))
        days = days[(days.chance <= parameters.false_alarm) & whole].reset_index(drop=True)
        behind = connections_behind(records, of_days(days))
        for place, row in enumerate(days.to_dict("records")):
            met = behind[(behind.candidate == place) & (behind.outside == row["outside"])]
            if len(met):
                yield _detection(row, met, comparison, parameters)


def host_days(comparison: Comparison, parameters: Parameters) -> pd.DataFrame:
    """The port of each source's day whose share is the least likely, if it is large enough.

    Columns: ``source day proto port outside``, ``connections`` to it, ``share``, ``expected``
    (share), ``days`` (learned of the host at this port), ``chance``.
    """
    past, now = _shares(comparison.baseline["ports"]), _shares(comparison.summary["ports"])
    role = roles(comparison.baseline)
    judged = now.merge(past[_PORT].drop_duplicates(), on=_PORT)
    # Who was never seen on such days (the first weekend) is not judged.
    kinds = set(zip(past.source, is_weekend(past.day), strict=True))
    alike = [kind in kinds for kind in zip(judged.source, is_weekend(judged.day), strict=True)]
    judged = judged[pd.Series(alike, index=judged.index, dtype=bool)].reset_index(drop=True)
    tests = judged.groupby(["source", "day"]).port.transform("size").to_numpy(float)
    every = pd.concat([past, judged], ignore_index=True)
    # A port is used by hosts of one role alike.
    role_of = role.reindex(every.source).fillna("").to_numpy()
    names = pd.Series(role_of + _key(every).to_numpy(), index=_keyed(every).to_numpy())
    daily = UsualDays(_measured(_filled(past)), names[~names.index.duplicated()])
    judgement = daily.judge(_measured(judged))
    expected = np.nan_to_num(judgement.expected) / _PER_MILLE
    judged = judged.assign(
        chance=of_several(judgement.above, tests), expected=expected, days=judgement.days
    )
    large = (judged.share - judged.expected >= parameters.rise) & (
        judged.connections >= parameters.connections
    )
    ordered = judged[large].sort_values(["source", "day", "chance", *_PORT], kind="stable")
    result: pd.DataFrame = ordered.drop_duplicates(["source", "day"]).reset_index(drop=True)
    return result


def _shares(ports: pd.DataFrame) -> pd.DataFrame:
    """Each port's share of the connections of a source and day."""
    summed = ports.groupby(["source", "day", *_PORT], as_index=False).connections.sum()
    total = summed.groupby(["source", "day"]).connections.transform("sum")
    shared: pd.DataFrame = summed.assign(share=summed.connections / total.clip(lower=1.0))
    return shared


def _filled(past: pd.DataFrame) -> pd.DataFrame:
    """Shares with the days on which a source was there and left a port of its own alone."""
    days, ports = (
        past[["source", "day"]].drop_duplicates(),
        past[["source", *_PORT]].drop_duplicates(),
    )
    # Ports of one day alone would be a row for each day, and say the same.
    often = past.groupby(["source", *_PORT]).day.nunique().rename("often").reset_index()
    kept = ports.merge(often[often.often > 1], on=["source", *_PORT]).drop(columns="often")
    grid = days.merge(kept, on="source")
    whole = grid.merge(past, how="outer", on=["source", "day", *_PORT])
    return whole.fillna({"share": 0.0, "connections": 0.0})


def _key(rows: pd.DataFrame) -> pd.Series[str]:
    where = rows.outside.map({True: " outside", False: " inside"})
    result: pd.Series[str] = " " + rows.proto + "/" + rows.port.astype(str) + where
    return result


def _keyed(rows: pd.DataFrame) -> pd.Series[str]:
    result: pd.Series[str] = rows.source + _key(rows)
    return result


def _measured(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"source": _keyed(rows), "day": rows.day, "value": rows.share * _PER_MILLE})


def _detection(
    row: dict[Any, Any], met: pd.DataFrame, comparison: Comparison, parameters: Parameters
) -> Detection:
    source, share = row["source"], row["share"]
    port = "ICMP" if row["proto"] == "icmp" else f"port {row['port']}/{row['proto']}"
    peers = met.peer.unique()
    return Detection(
        source=source,
        destination=str(peers[0]) if len(peers) == 1 else None,
        port=int(row["port"]) if row["proto"] != "icmp" else None,
        proto=str(row["proto"]),
        first=float(met["first"].min()),
        last=float(met["last"].max()),
        score=held_back(score_of_chance(row["chance"], parameters.false_alarm), comparison),
        message=(
            f"{source} made {share:.0%} of its connections to {port} "
            f"{'outside' if row['outside'] else 'inside'}, usually {row['expected']:.1%}"
        ),
        evidence=(
            Evidence(
                "share of its connections", round(share, 3), expected=round(row["expected"], 4)
            ),
            Evidence(
                "connections to the port", int(row["connections"]), threshold=parameters.connections
            ),
            Evidence("hosts it met there", len(peers)),
            Evidence("days of the host with the port", row["days"]),
            *chance_evidence(row["chance"], parameters.false_alarm, comparison),
        ),
        connections=int(met.connections.sum()),
    )


DETECTOR = Detector("port_share", Parameters, find, compares=True)

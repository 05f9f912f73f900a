"""Protocol mix: a host, or the network, that speaks other protocols than it does on other days.

The mix is the share of a day's connections by transport protocol and application (what Zeek says
they speak). Pearson's chi-squared says whether two mixes differ, and with thousands of connections
they always do: a day is no multinomial sample of another. So what counts is the effect size,
Cohen's w = sqrt(chi-squared / n) (Cohen, "Statistical power analysis for the behavioral sciences",
1988: 0.5 is large), less what sampling alone makes of it (Bergsma, "A bias-correction for Cramer's
V and Tschuprow's T", Journal of the Korean Statistical Society 42, 2013), and how unlikely it is
beside the effects that lie between the days learned. Protocols expected in less than one in a
hundred connections are counted together (Cochran, "Some methods for strengthening the common
chi-squared tests", Biometrics 10, 1954).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.roles import roles
from analyzer.baseline.usual_days import UsualDays, is_weekend
from analyzer.detectors.behind import connections_behind, of_days
from analyzer.detectors.comparison import Comparison, comparable_days, shared_comparisons
from analyzer.detectors.detection import Detection, Detector, Shared
from analyzer.detectors.unusual import chance_evidence, held_back, score_of_chance
from analyzer.findings import Evidence
from analyzer.parameters import Probability

if TYPE_CHECKING:
    from analyzer.records import Records

Floats = npt.NDArray[np.float64]

NETWORK = ""
"""The source under which all hosts together stand."""

_LEAST_SHARE = 0.01
# What all hosts speak weighs so much of a day, so that no protocol is impossible.
_PRIOR_DAYS = 0.02
# What Cohen calls small; smaller ones are all alike.
_SMALL = 0.1
# Effects in thousandths: the logarithm of a small one still tells it from none.
_FINE = 1000.0
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Parameters:
    """How different and how unlikely."""

    false_alarm: Probability = field(
        default=1e-3, metadata={"meaning": "share of ordinary host days that may be reported"}
    )
    effect: float = field(default=0.5, metadata={"meaning": "least Cohen's w"})
    connections: int = field(default=100, metadata={"meaning": "least connections on the day"})


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Days on which a host, or the network, spoke other protocols than usual."""
    for comparison in shared_comparisons(records, shared):
        mixes = Mixes(comparison)
        days = mixes.judged()
        days = days[
            (days.chance <= parameters.false_alarm)
            & (days.effect >= parameters.effect)
            & (days.connections >= parameters.connections)
            & days.day.isin(comparable_days(comparison))
        ].reset_index(drop=True)
        hosts = days[days.source != NETWORK]
        said = set(zip(hosts.day, hosts.source, strict=True))
        rows = []
        for row in days.to_dict("records"):
            row["changes"] = mixes.changes(row["source"], row["day"])
            row["network"] = row["source"] == NETWORK
            if row["network"]:
                row["source"] = mixes.loudest(row["day"])
            if not (row["network"] and (row["day"], row["source"]) in said):
                rows.append(row)
        chosen = pd.DataFrame(rows, columns=["source", "day"])
        behind = connections_behind(records, of_days(chosen))
        for place, row in enumerate(rows):
            met = behind[behind.candidate == place]
            if len(met):
                yield _detection(row, met, comparison, parameters)


class Mixes:
    """The protocol mixes of a comparison.

    Args:
        comparison: what to compare with what.
    """

    def __init__(self, comparison: Comparison) -> None:
        tables = (comparison.baseline["ports"], comparison.summary["ports"])
        past, now = (_counted(ports) for ports in tables)
        self._roles = pd.concat([roles(comparison.baseline), pd.Series({NETWORK: "network"})])
        self._protocols = past.columns.union(now.columns)
        self._past, self._now = (
            each.reindex(columns=self._protocols, fill_value=0.0) for each in (past, now)
        )
        counts = self._past.to_numpy(float)
        self._shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
        self._trace = _PRIOR_DAYS * counts.sum(axis=0) / max(counts.sum(), 1.0)
        self._days = self._past.index.get_level_values("day").to_numpy(np.int64)
        self._weekend = is_weekend(self._days)
        self._places: dict[str, npt.NDArray[np.int64]] = {
            str(source): np.asarray(places, np.int64)
            for source, places in self._past.groupby("source").indices.items()
        }

    def expected(self, source: str, day: int) -> Floats | None:
        """The mix of a source's other days of the kind (working day, weekend); None without one."""
        own = self._places.get(source)
        if own is None:
            return None
        alike = own[(self._days[own] != day) & (self._weekend[own] == bool(is_weekend(day)))]
        if not alike.size:
            return None
        total: Floats = self._shares[alike].sum(axis=0) + self._trace
        total /= total.sum()
        return total

    def judged(self) -> pd.DataFrame:
        """Every day to judge whose source is known on such days.

        Columns: ``source day connections``, ``effect squared`` (Cohen's w, chi-squared), ``usual``
        (the effect between the days learned), ``chance``.
        """
        learned, judged = self._effects(self._past), self._effects(self._now)
        judgement = UsualDays(learned, self._roles).judge(judged)
        return judged.assign(chance=judgement.above, usual=judgement.expected / _FINE)

    def changes(self, source: str, day: int) -> str:
        """What is different, in words."""
        mix = self._now.loc[[(source, day)]].to_numpy(float)[0]
        expected = self.expected(source, day)
        if expected is None:
            return ""
        observed = mix / max(mix.sum(), 1.0)
        order = np.argsort(-np.abs(observed - expected), kind="stable")[:_SHOWN]
        return ", ".join(
            f"{self._protocols[k]} {observed[k]:.1%} instead of {expected[k]:.1%}"
            for k in order
            if abs(observed[k] - expected[k]) >= _LEAST_SHARE
        )

    def loudest(self, day: int) -> str:
        """The source that adds most to what there is more of on the network on a day."""
        own = self._now.xs(day, level="day").drop(index=NETWORK)
        every = own.to_numpy(float).sum(axis=0)
        expected = self.expected(NETWORK, day)
        more = np.zeros(len(every)) if expected is None else every - expected * every.sum()
        pull = own.to_numpy(float) @ (np.maximum(more, 0.0) / np.maximum(every, 1.0))
        return str(own.index[int(np.argmax(pull))])

    def _effects(self, counts: pd.DataFrame) -> pd.DataFrame:
        """How far each day's mix is from that of the other days of its source, if it has any."""
        rows = []
        for (source, day), mix in zip(counts.index, counts.to_numpy(float), strict=True):
            expected = self.expected(str(source), int(day))
            if expected is not None:
                effect, squared = effect_size(mix, expected)
                n = float(mix.sum())
                rows.append(
                    (str(source), int(day), n, effect, squared, max(effect, _SMALL) * _FINE)
                )
        columns = ["source", "day", "connections", "effect", "squared", "value"]
        return pd.DataFrame(rows, columns=columns)


def effect_size(mix: Floats, expected: Floats) -> tuple[float, float]:
    """Cohen's w less what sampling makes of it, and chi-squared.

    Args:
        mix: connections by protocol.
        expected: shares by protocol, 1 in all.
    """
    n = float(mix.sum())
    if not n:
        return 0.0, 0.0
    rare = expected < _LEAST_SHARE
    observed, wanted = mix[~rare] / n, expected[~rare]
    if rare.any():
        observed = np.append(observed, mix[rare].sum() / n)
        wanted = np.append(wanted, max(float(expected[rare].sum()), _LEAST_SHARE))
    squared = float((((observed - wanted) ** 2) / wanted).sum())
    return float(np.sqrt(max(squared - (len(wanted) - 1) / n, 0.0))), n * squared


def _counted(ports: pd.DataFrame) -> pd.DataFrame:
    """Connections of each source and day, and of the network, by protocol."""
    named = ports.proto.where(ports.application == "", ports.proto + " " + ports.application)
    table = ports.assign(protocol=named).pivot_table(
        index=["source", "day"],
        columns="protocol",
        values="connections",
        aggfunc="sum",
        fill_value=0.0,
    )
    network = table.groupby("day").sum()
    network.index = pd.MultiIndex.from_product([[NETWORK], network.index], names=["source", "day"])
    return pd.concat([network, table])


def _detection(
    row: dict[Any, Any], met: pd.DataFrame, comparison: Comparison, parameters: Parameters
) -> Detection:
    source, effect = row["source"], row["effect"]
    network = row["network"]
    who = "The network" if network else source
    evidence = [
        Evidence(
            "effect size, Cohen's w",
            round(effect, 3),
            expected=round(row["usual"], 3),
            threshold=parameters.effect,
        ),
        Evidence("chi-squared", round(row["squared"], 1)),
        Evidence("connections", int(row["connections"])),
        Evidence("changes", row["changes"]),
        *chance_evidence(row["chance"], parameters.false_alarm, comparison),
    ]
    if network:
        evidence.append(Evidence("host that adds most", source))
    return Detection(
        source=source,
        subject="network" if network else "",
        first=float(met["first"].min()),
        last=float(met["last"].max()),
        score=held_back(score_of_chance(row["chance"], parameters.false_alarm), comparison),
        message=f"{who} spoke other protocols than usual: {row['changes']}",
        evidence=tuple(evidence),
        connections=int(met.connections.sum()),
    )


DETECTOR = Detector("protocol_mix", Parameters, find, compares=True)

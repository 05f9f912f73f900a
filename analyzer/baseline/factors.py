"""What drove a score, in words: which features were unlikely, beside what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.baseline import habits, paces
from analyzer.baseline.bins import BINS, SHAPES, value_of
from analyzer.baseline.habits import RATIO, Habits
from analyzer.baseline.histograms import Floats, Histograms
from analyzer.findings import Evidence, quantity

if TYPE_CHECKING:
    from analyzer.baseline.paces import Paces

# A feature that one in thirty has, drove nothing.
_UNLIKELY = 0.03
_MOST = 4
# What is said to be usual: nine in ten values; of others, all but one in a hundred.
_LOW, _HIGH, _NEARLY_ALL = 0.05, 0.95, 0.99

_WORDS = {
    "bytes_out": ("bytes sent", "sent {}", "B"),
    "bytes_in": ("bytes received", "received {}", "B"),
    "duration": ("duration", "lasted {}", "s"),
    "packets_out": ("packets sent", "sent {} packets", ""),
}
_RAW = {
    "bytes_out": "orig_bytes",
    "bytes_in": "resp_bytes",
    "duration": "lasted",
    "packets_out": "packets",
}
_COUNTED = {
    "connections": ("connections", ""),
    "failed": ("unanswered connections", ""),
    "destinations": ("hosts met", ""),
    "ports": ("ports tried", ""),
    "bytes_out": ("bytes sent", "B"),
    "bytes_in": ("bytes received", "B"),
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One feature that was unlikely.

    Attributes:
        name: what was measured.
        observed: what was seen.
        usual: what is usual, and of whom.
        text: both in a sentence's part.
        chance: how likely at least as much is.
        unit: of what was seen.
    """

    name: str
    observed: float | str
    usual: str
    text: str
    chance: float
    unit: str = ""

    @property
    def evidence(self) -> Evidence:
        """As evidence."""
        usual = f"{self.usual}; chance {self.chance:.1g}"
        return Evidence(self.name, self.observed, expected=usual, unit=self.unit)


def _chosen(chances: Floats, names: tuple[str, ...]) -> list[int]:
    """The unlikely features, the least likely first; one of each measure and comparison."""
    order = np.argsort(chances, kind="stable")
    chosen = [int(place) for place in order if chances[place] <= _UNLIKELY][:_MOST]
    return [place for place in chosen if place < len(names)]


def connection_factors(known: Habits, row: pd.Series, chances: Floats) -> list[Factor]:
    """What was unlikely about a connection.

    Args:
        known: of the baseline.
        row: a row of :data:`analyzer.baseline.habits.ROW`; the exact values beside it if there.
        chances: of its features.
    """
    frame = row.to_frame().T
    source, _, place = known.places(frame)
    group = known.role_places(source, place)
    service = f"{row.port}/{row.proto}" if row.proto != "icmp" else "ICMP"
    factors = []
    for feature in _chosen(chances, habits.FEATURES):
        name, chance = habits.FEATURES[feature], float(chances[feature])
        metric, _, of_what = name.partition(" of the ")
        if metric in SHAPES:
            held, key, whose = {
                "host": (known.of_host[metric], int(source[0]), "this host usually"),
                "service": (known.of_service[metric], int(place[0]), f"others on {service}"),
            }.get(
                of_what,
                (known.of_role[metric], int(group[0]), f"hosts of its role on {service}"),
            )
            factors.append(_size(row, metric, held, key, whose, chance))
        else:
            factors.append(_other(known, row, name, service, chance))
    return factors


def _size(
    row: pd.Series, metric: str, held: Histograms, key: int, whose: str, chance: float
) -> Factor:
    name, verb, unit = _WORDS[metric]
    exact = row.get(_RAW[metric])
    value = float(value_of([row[metric]], metric)[0] if exact is None else exact)
    own = whose.startswith("this")
    low, high = held.between(key, _LOW if own else 0.0, _HIGH if own else _NEARLY_ALL)
    least, most = (quantity(float(value_of([each], metric)[0]), unit) for each in (low, high))
    usual = f"{whose} {least} to {most}" if own and low != high else f"{whose} up to {most}"
    if own and low == high:
        usual = f"{whose} {most}"
    seen = verb.format(quantity(value, unit))
    return Factor(name, value, usual, f"{seen}, {usual}", chance, unit)


def _other(known: Habits, row: pd.Series, name: str, service: str, chance: float) -> Factor:
    frame = row.to_frame().T
    source, key, place = known.places(frame)
    where = "outside" if row.outside else "inside"
    if name == "ratio":
        held = known.of_role["ratio"]
        group = int(known.role_places(source, place)[0])
        _, high = held.between(group, 0.0, _NEARLY_ALL)
        seen = 2.0 ** ((int(habits.ratio_bins(frame)[0]) - RATIO) / BINS)
        most = f"{2.0 ** ((high - RATIO) / BINS):.2g}"
        usual = f"on {service} up to {most}"
        text = f"sent {seen:.2g} bytes for each received, {usual}"
        return Factor("bytes sent for each received", seen, usual, text, chance)
    if name == "port":
        users = int(known.users_of(key, frame)[0])
        usual = f"never used by this host {where}, by {users} others"
        return Factor("port", service, usual, f"{service}, {usual}", chance)
    if name == "application":
        usual = f"never spoken by this host on {service}"
        text = f"spoke {row.application}, {usual}"
        return Factor("application", str(row.application), usual, text, chance)
    if name == "peer":
        knowing, _ = known.acquaintance(source, frame)
        usual = f"never met by this host, by {int(knowing[0])} others"
        return Factor("peer", str(row.peer), usual, f"{row.peer} {usual}", chance)
    hour = f"{int(row.hour):02d}:00"
    if name == "hour":
        usual = "this host is never active around it"
        return Factor("hour of the day, UTC", hour, usual, f"at {hour} UTC, {usual}", chance)
    if name == "hour of the service":
        usual = f"rare for {service}"
        return Factor("hour of the day, UTC", hour, usual, f"at {hour} UTC, {usual}", chance)
    usual = f"this host's go unanswered {quantity(chance)} of the time"
    return Factor("answer", "none", usual, f"no answer, {usual}", chance)


def window_factors(known: Paces, row: pd.Series, chances: Floats) -> list[Factor]:
    """What was unlikely about a source's five minutes.

    Args:
        known: of the baseline.
        row: a row of :data:`analyzer.baseline.paces.ROW`.
        chances: of its features.
    """
    frame = row.to_frame().T
    source = int(known.sources.of(frame.source.to_numpy())[0])
    factors = []
    for feature in _chosen(chances, paces.FEATURES):
        full = paces.FEATURES[feature]
        metric = full.split(" ", 1)[0]
        name, unit = _COUNTED[metric]
        value = float(row[metric])
        if full.endswith("of the host"):
            _, high = known.of_host[metric].between(source, 0.0, _HIGH)
            most = 2.0 ** (high / BINS) - 1.0
            usual = f"this host and its like usually up to {quantity(round(most), unit)}"
        elif full.endswith("busy hours"):
            level = float(known.busy[metric][source])
            usual = f"its busy hours {quantity(round(level), unit)}"
        else:
            level = float(known.most_around(metric, frame)[0])
            usual = f"at this hour of other days up to {quantity(round(level), unit)} an hour"
        seen = f"{quantity(value, unit)} {name}" if not unit else f"{name} {quantity(value, unit)}"
        chance = float(chances[feature])
        factors.append(Factor(name, value, usual, f"{seen}, {usual}", chance, unit))
    return factors

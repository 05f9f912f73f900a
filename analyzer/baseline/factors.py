"""What drove a score, in words: which features were unlikely, beside what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.baseline import habits, paces
from analyzer.baseline.bins import BINS, SHAPES, value_of
from analyzer.baseline.coding import RATIO, ratio_of
from analyzer.baseline.habits import Habits
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


HOURS = ("hour of the day, UTC", "hour of the service, UTC")
"""The names of factors that say when something was, not what."""


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
        row: a row of :data:`analyzer.baseline.coding.ROW`; the exact values beside it if there.
        chances: of its features.
    """
    frame = row.to_frame().T
    coded = known.coded(frame)
    group = known.sizes.role_places(coded.source, coded.place)
    service = f"{row.port}/{row.proto}" if row.proto != "icmp" else "ICMP"
    factors = []
    for feature in _chosen(chances, habits.FEATURES):
        name, chance = habits.FEATURES[feature], float(chances[feature])
        metric, _, of_what = name.partition(" of the ")
        if metric in SHAPES:
            held, key, whose = {
                "host": (known.sizes.of_host[metric], int(coded.source[0]), "this host usually"),
                "service": (
                    known.sizes.of_service[metric],
                    int(coded.place[0]),
                    f"others on {service}",
                ),
            }.get(
                of_what,
                (known.sizes.of_role[metric], int(group[0]), f"hosts of its role on {service}"),
            )
            factors.append(_size(row, metric, _Beside(held, key, whose), chance))
        else:
            factors.append(_other(known, row, name, service, chance))
    return factors


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a size is compared with: the histogram of a key, and whose that is."""

    held: Histograms
    key: int
    whose: str

    def usual(self, metric: str, unit: str) -> str:
        """What is usual, in words."""
        own = self.whose.startswith("this")
        low, high = self.held.between(self.key, _LOW if own else 0.0, _HIGH if own else _NEARLY_ALL)
        # A bin is a half octave wide: more digits would say more than is known.
        least, most = (
            quantity(float(f"{value_of([each], metric)[0]:.2g}"), unit) for each in (low, high)
        )
        if not own:
            return f"{self.whose} up to {most}"
        return f"{self.whose} {most}" if low == high else f"{self.whose} {least} to {most}"


def _size(row: pd.Series, metric: str, beside: _Beside, chance: float) -> Factor:
    name, verb, unit = _WORDS[metric]
    exact = row.get(_RAW[metric])
    value = float(value_of([row[metric]], metric)[0] if exact is None else exact)
    usual = beside.usual(metric, unit)
    return Factor(
        name, value, usual, f"{verb.format(quantity(value, unit))}, {usual}", chance, unit
    )


def _other(known: Habits, row: pd.Series, name: str, service: str, chance: float) -> Factor:
    frame = row.to_frame().T
    coded = known.coded(frame)
    where = "outside" if row.outside else "inside"
    observed: float | str
    if name == "ratio":
        group = int(known.sizes.role_places(coded.source, coded.place)[0])
        _, high = known.sizes.of_role["ratio"].between(group, 0.0, _NEARLY_ALL)
        observed = 2.0 ** ((int(ratio_of(coded.bins)[0]) - RATIO) / BINS)
        measured, seen = (
            "bytes sent for each received",
            f"sent {observed:.2g} bytes for each received",
        )
        usual = f"on {service} up to {2.0 ** ((high - RATIO) / BINS):.2g}"
    elif name == "port":
        measured, observed, seen = "port", service, service
        users = int(known.customs.users_of(coded)[0])
        usual = f"never used by this host {where}, by {users} others"
    elif name == "application":
        observed = str(row.application)
        measured, seen = "application", f"spoke {observed}"
        usual = f"never spoken by this host on {service}"
    elif name == "peer":
        observed = str(row.peer)
        measured, seen = "peer", observed
        knowing, _ = known.customs.acquaintance(coded)
        usual = f"never met by this host, by {int(knowing[0])} others"
    elif name in ("hour", "hour of the service"):
        observed = f"{int(row.hour):02d}:00"
        measured = HOURS[0] if name == "hour" else HOURS[1]
        seen = f"at {observed} UTC"
        usual = "this host is never active then" if name == "hour" else f"rare for {service}"
    else:
        measured, observed, seen = "answer", "none", "no answer"
        usual = f"this host goes without one in {quantity(chance)} of all"
    return Factor(measured, observed, usual, f"{seen}, {usual}", chance)


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

"""What records have that a baseline does not: ports, protocols, peers, services, domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analyzer.baseline.contacts import Service, services_of
from analyzer.baseline.daily import NETWORK
from analyzer.baseline.tables import LAYOUTS

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline
    from analyzer.baseline.summary import Summary


def new_rows(usual: Baseline, summary: Summary) -> dict[str, pd.DataFrame]:
    """What records have for the first time: rows of what is kept by its first and last day."""
    news = {"hours": summary["hours"]}
    for name in ("peers", "offered", "domains"):
        rows = summary[name] if name in summary else LAYOUTS[name].empty()
        keys = LAYOUTS[name].keys
        known = pd.MultiIndex.from_frame(usual[name][keys])
        news[name] = rows[~pd.MultiIndex.from_frame(rows[keys]).isin(known)]
    return news


class News:
    """What records have that the baseline does not, by host and for the network."""

    def __init__(self, usual: Baseline, summary: Summary) -> None:
        ports = summary["ports"] if "ports" in summary else LAYOUTS["ports"].empty()
        known = usual["ports"]
        self._ports = _unknown(ports, known, ["proto", "port"])
        named = ports[ports.application != ""]
        self._applications = _unknown(named, known, ["application"])
        self._services = new_rows(usual, summary)["offered"]

    def of(self, source: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Service, ...]]:
        """New ports, applications and services of a source, or of the network."""
        offered = self._services
        own = offered if source == NETWORK else offered[offered.source == source]
        ports = [f"{port}/{proto}" for proto, port in self._ports.get(source, [])]
        names = [str(name) for (name,) in self._applications.get(source, [])]
        return tuple(ports), tuple(names), services_of(own)


def _unknown(
    rows: pd.DataFrame, known: pd.DataFrame, keys: list[str]
) -> dict[str, list[tuple[object, ...]]]:
    """The keys of each source, and of the network, that are not known; most connections first."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for named in (["source", *keys], keys):
        used = rows.groupby(named, as_index=False)[["connections"]].sum()
        old = pd.MultiIndex.from_frame(known[named])
        new = used[~pd.MultiIndex.from_frame(used[named]).isin(old)]
        ordered = new.sort_values(["connections", *named], ascending=[False, *[True] * len(named)])
        for row in zip(*(ordered[name].tolist() for name in named), strict=True):
            source, key = (NETWORK, row) if named == keys else (row[0], row[1:])
            found.setdefault(source, []).append(key)
    return found

"""What hosts use, speak and meet, and when; what is new is as unlikely as it has been so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.codes import Keys, pair_keys
from analyzer.baseline.coding import Coded, Coding
from analyzer.baseline.histograms import PRIOR, Codes, Floats, weighted_counts
from analyzer.baseline.novelty import COMMON, LEVELS, Chances, News, by_level, chances

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

FEWEST = 20
"""Connections from which on a host has habits."""

_HOURS = 24


class Customs:
    """The ports, applications, peers and hours of hosts.

    Args:
        baseline: what was learned; at least one day.
        ports: what it knows of the hosts' ports.
        coding: the numbers of hosts and of what they use.
        roles: the role of each host.

    Attributes:
        has_habits: whether each host has enough connections; at the end, false for others.
        active_hours: (hosts and one more, 24), whether each was ever active around the hour.
        hour_chances: chance of a connection at an hour at which its host is never active.
        failure_chances: chance of a connection without an answer.
        service_hours: (services and one more, 24), chance of an hour as rare for the service.
    """

    def __init__(
        self, baseline: Baseline, ports: pd.DataFrame, coding: Coding, roles: Codes
    ) -> None:
        self._coding = coding
        self._roles = roles
        source = coding.sources.of(ports.source)
        weight = ports.connections.to_numpy(float)
        size = len(coding.sources)
        outside = ports.outside.to_numpy(bool)
        self._connections = weighted_counts(source, weight, size)
        self.has_habits = np.append(self._connections >= FEWEST, False)
        self._news_of_ports(ports, source, weight)
        self._news_of_peers(
            baseline["peers"],
            np.stack([weighted_counts(source, weight * (outside == way), size) for way in (0, 1)]),
        )
        self._news_of_hours(baseline["hours"])
        self._hours_of_services(baseline["reference"])

    def _news_of_ports(self, ports: pd.DataFrame, source: Codes, weight: Floats) -> None:
        service = self._coding.service_keys(ports) * 2 + ports.outside.to_numpy(np.int64)
        # What was folded together is news that nobody else can have known.
        folded = (ports.port.to_numpy() == 0) & ports.proto.isin(("tcp", "udp")).to_numpy()
        known = ~folded
        self._ports = News(
            source[known], service[known], ports.day.to_numpy()[known], weight[known], self._roles
        )
        rest = weighted_counts(source[folded], weight[folded], len(self._coding.sources))
        self._ports.add(np.repeat(rest[:, None], LEVELS, axis=1))
        self._port_chances = self._ports.chances(self._connections)
        spoken = (ports.application != "").to_numpy() & known
        keys = self._coding.application_keys(ports)
        self._applications = News(
            source[spoken], keys[spoken], ports.day.to_numpy()[spoken], weight[spoken], self._roles
        )
        self._application_chances = self._applications.chances(
            weighted_counts(source[spoken], weight[spoken], len(self._coding.sources))
        )

    def _news_of_peers(self, peers: pd.DataFrame, connections: Floats) -> None:
        source, peer = self._coding.sources.of(peers.source), self._coding.peers.of(peers.peer)
        once = (peers.first_day == peers.last_day).to_numpy()
        outside = peers.outside.to_numpy(bool)
        self._met = Keys(pair_keys(source, peer, len(self._coding.peers)))
        self._knowing = np.append(np.bincount(peer, minlength=len(self._coding.peers)), 0)
        rarity = np.minimum(self._knowing[peer] - 1, COMMON)
        self._peer_chances: list[Chances] = []
        for way in (0, 1):
            kept = once & (outside == way) & (source >= 0)
            new = by_level(
                source[kept], rarity[kept], np.ones(kept.sum()), len(self._coding.sources)
            )
            self._peer_chances.append(chances(new, connections[way], self._roles))

    def _news_of_hours(self, hours: pd.DataFrame) -> None:
        source = self._coding.sources.of(hours.source)
        hour, weight = hours.hour.to_numpy(np.int64), hours.connections.to_numpy(float)
        _, day = np.unique(hours.day.to_numpy(), return_inverse=True)
        days = int(day.max()) + 1 if len(day) else 1
        seen = np.zeros((len(self._coding.sources), days, _HOURS), dtype=bool)
        seen[source, day, hour] = weight > 0
        # Around an hour is at it: nobody comes by the minute.
        around = seen | np.roll(seen, 1, axis=2) | np.roll(seen, -1, axis=2)
        active = around.sum(axis=1)
        self.active_hours = np.vstack([active > 0, np.zeros((1, _HOURS), dtype=bool)])
        alone = active[source, hour] <= 1
        total = weighted_counts(source, weight, len(self._coding.sources))
        new = weighted_counts(source[alone], weight[alone], len(self._coding.sources))
        self.hour_chances = chances(new[:, None], total, self._roles)
        failed = weighted_counts(source, hours.failed.to_numpy(float), len(self._coding.sources))
        self.failure_chances = chances(failed[:, None], total, self._roles)

    def _hours_of_services(self, sample: pd.DataFrame) -> None:
        keys = self._coding.services.of(self._coding.service_keys(sample))
        hours = sample.hour.to_numpy(np.int64)
        everyone = np.bincount(hours, minlength=_HOURS) + 1.0 / _HOURS
        everyone = everyone / everyone.sum()
        known = keys >= 0
        counts = np.bincount(
            keys[known] * _HOURS + hours[known], minlength=len(self._coding.services) * _HOURS
        ).reshape(-1, _HOURS)
        size = counts.sum(axis=1, keepdims=True)
        share = np.vstack([(counts + PRIOR * everyone) / (size + PRIOR), everyone])
        near = (share + np.roll(share, 1, axis=1) + np.roll(share, -1, axis=1)) / 3.0
        rarer = near[:, None, :] <= near[:, :, None] * (1 + 1e-9)
        self.service_hours = np.minimum((rarer * near[:, None, :]).sum(axis=2), 1.0)

    def is_active(self, rows: Coded) -> npt.NDArray[np.bool_]:
        """Whether each source was ever active around the hour; true where it has no habits."""
        active = self.active_hours[rows.source, rows.hour]
        result: npt.NDArray[np.bool_] = active | ~self.has_habits[rows.source]
        return result

    def acquaintance(self, rows: Coded) -> tuple[Codes, npt.NDArray[np.bool_]]:
        """How many sources know each peer, and whether the connection's own does."""
        met = self._met.of(pair_keys(rows.source, rows.peer, len(self._coding.peers))) >= 0
        return self._knowing[rows.peer], met

    def users_of(self, rows: Coded) -> Codes:
        """How many sources use each port, inside or outside as the connection does."""
        return self._ports.users(rows.way)

    def news(self, rows: Coded) -> dict[str, Floats]:
        """The chances of the features that are news or not, by name; 1 where they are not."""
        quiet = ~self.is_active(rows)
        return {
            "port": self.port_news(rows),
            "application": self.application_news(rows),
            "peer": self.peer_news(rows),
            "hour": np.where(quiet, self.hour_chances.of(rows.source), 1.0),
            "unanswered": np.where(rows.answered, 1.0, self.failure_chances.of(rows.source)),
        }

    def port_news(self, rows: Coded) -> Floats:
        """Chance of a port that its host never used, inside or outside as it was."""
        return self._ports.judge(rows.source, rows.way, self._port_chances, self.has_habits)

    def application_news(self, rows: Coded) -> Floats:
        """Chance of an application that its host never spoke on the port."""
        spoken = rows.spoken & rows.answered
        if not spoken.any():
            return np.ones(len(spoken))
        chance = self._applications.judge(
            rows.source, rows.application, self._application_chances, self.has_habits
        )
        return np.where(spoken, chance, 1.0)

    def peer_news(self, rows: Coded) -> Floats:
        """Chance of a peer that its host never met."""
        knowing, met = self.acquaintance(rows)
        rarity = np.minimum(knowing, COMMON)
        inside, outside = (chances.of(rows.source, rarity) for chances in self._peer_chances)
        chance = np.where(rows.outside, outside, inside)
        return np.where(met | ~self.has_habits[rows.source], 1.0, chance)

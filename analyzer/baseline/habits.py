"""How unlikely each feature of a connection is, by what its host, its role and its service do.

Every feature is a chance of at least so much, or of something at least as rare, by what was
learned:

- payload bytes both ways, duration and packets: beside the host's own, either way (a host that has
  been constant and changes is news), and beside everybody's on the same port, upwards;
- bytes sent for each received, beside everybody's on that port;
- a port, an application on a port, a peer that the host has met on no day, the less others know
  them, the less likely (:mod:`analyzer.baseline.novelty`);
- an hour of the day at which the host was never active, and one that is rare for the service;
- no answer.

What a host does every day (:meth:`analyzer.baseline.sizes.Sizes.is_routine`) is compared with its
own sizes alone, as hosts of its role may not do it at all.

A host of fewer than :data:`analyzer.baseline.customs.FEWEST` connections has no habits: of its news
only what is new for the whole network counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import SHAPES, UNKNOWN_BIN
from analyzer.baseline.codes import Names
from analyzer.baseline.coding import Coded, Coding, ratio_of
from analyzer.baseline.customs import Customs
from analyzer.baseline.histograms import Floats
from analyzer.baseline.roles import DEVICE, SERVER, WORKSTATION, roles
from analyzer.baseline.sizes import Sizes

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

FEATURES = (
    *(f"{metric} of the host" for metric in SHAPES),
    *(f"{metric} of the service" for metric in SHAPES),
    *(f"{metric} of the role on the service" for metric in SHAPES),
    "ratio",
    "port",
    "application",
    "peer",
    "hour",
    "hour of the service",
    "unanswered",
)
"""What is looked at in a connection, in the order of :meth:`Habits.chances`."""

_ROLES = (DEVICE, SERVER, WORKSTATION)


class Habits:
    """What the connections of a network's hosts are like, ready to be asked.

    Args:
        baseline: what was learned; at least one day.

    Attributes:
        days: how many were.
        groups: the role of each host; at the end that of those that are not known.
        coding: the numbers of hosts, ports, applications and peers.
        sizes: how large connections are.
        customs: what hosts use, speak and meet, and when.
    """

    def __init__(self, baseline: Baseline) -> None:
        self.days = len(baseline.days)
        role = roles(baseline)
        numbers = [_ROLES.index(name) for name in role.sort_index()]
        of_hosts = np.array(numbers, dtype=np.int64)
        self.groups = np.append(of_hosts, len(_ROLES))
        sources = Names(role.index)
        ports = baseline["ports"]
        ports = ports[ports.source.isin(sources.texts)]
        self.coding = Coding(baseline, ports, sources)
        self.sizes = Sizes(baseline, ports, self.coding, self.groups)
        self.customs = Customs(baseline, ports, self.coding, of_hosts)

    def coded(self, rows: pd.DataFrame | Mapping[str, npt.NDArray[Any]]) -> Coded:
        """Connections as numbers: see :meth:`analyzer.baseline.coding.Coding.coded`."""
        return self.coding.coded(rows)

    def host_most(self, metric: str) -> Floats:
        """The bin that all but one in a hundred of a host's stay within, if it has habits."""
        most = self.sizes.most[metric]
        return np.where(self.customs.has_habits, most, float(UNKNOWN_BIN))

    def chances(self, rows: Coded) -> Floats:
        """The chance of each feature, (rows, features); 1 where nothing is claimed."""
        sizes, customs = self.sizes, self.customs
        by_role = sizes.role_places(rows.source, rows.place)
        result = np.ones((len(rows.source), len(FEATURES)))
        for number, metric in enumerate(SHAPES):
            bins = rows.bins[metric]
            upper, lower = (tails[rows.source, bins] for tails in sizes.host_tails(metric))
            both = np.minimum(1.0, 2.0 * np.minimum(upper, lower))
            # That little came back without an answer is said by there being none.
            result[:, number] = np.where(rows.answered, both, upper)
            result[:, len(SHAPES) + number] = sizes.service_tails(metric)[rows.place, bins]
            result[:, 2 * len(SHAPES) + number] = sizes.role_tails(metric)[by_role, bins]
        column = 3 * len(SHAPES)
        result[:, column] = sizes.role_tails("ratio")[by_role, ratio_of(rows.bins)]
        result[sizes.is_routine(rows), len(SHAPES) : column + 1] = 1.0
        news = customs.news(rows)
        for number, name in enumerate(FEATURES[column + 1 :], column + 1):
            result[:, number] = (
                news[name] if name in news else customs.service_hours[rows.place, rows.hour]
            )
        return result

"""How large the connections of hosts, services and roles are, and how much is sent on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.bins import SHAPES, value_of
from analyzer.baseline.codes import Keys, pair_keys
from analyzer.baseline.coding import Coded, Coding, ratio_of
from analyzer.baseline.histograms import (
    PRIOR,
    SIZE,
    Codes,
    Floats,
    Histograms,
    histograms,
    lower_tails,
    shrunk_tails,
)

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

_NEARLY_ALL = 0.99
# A habit may have grown by a factor of two, as in :mod:`analyzer.baseline.usual`.
_GROWTH = 2
# The bytes of each bin.
_BYTES = value_of(np.arange(SIZE), "bytes_out")


class Sizes:
    """Distributions of :data:`analyzer.baseline.bins.SHAPES` and of the ratio, and their tails.

    Args:
        baseline: what was learned; at least one day.
        ports: what it knows of the hosts' ports.
        coding: the numbers of hosts and services.
        groups: the role of each host; at the end that of those that are not known.

    Attributes:
        of_host: by metric, of each host.
        of_service: by metric, of each service.
        of_role: by metric and for the ratio, of each role on each service.
        most: by metric, the bin that all but one in a hundred of a host's stay within.
    """

    def __init__(
        self, baseline: Baseline, ports: pd.DataFrame, coding: Coding, groups: Codes
    ) -> None:
        self._coding = coding
        self._groups = groups
        self._roles = groups[:-1]
        # The role of a host that is not known is one, too.
        self._count = int(groups[-1]) + 1
        self._shapes(baseline)
        self._daily_uploads(ports)

    def _shapes(self, baseline: Baseline) -> None:
        own, served = baseline["shapes"], baseline["service_shapes"]
        self._role_tails: dict[str, Floats] = {}
        self.of_role: dict[str, Histograms] = {}
        self.of_host: dict[str, Histograms] = {}
        self.of_service: dict[str, Histograms] = {}
        self._host_tails: dict[str, Floats] = {}
        self._host_lower: dict[str, Floats] = {}
        self.most: dict[str, Floats] = {}
        self._service_tails: dict[str, Floats] = {}
        self._service_medians: dict[str, Floats] = {}
        for metric in SHAPES:
            rows = own[own.metric == metric]
            held = histograms(self._coding.sources.of(rows.source), rows, len(self._coding.sources))
            self.of_host[metric] = held
            self.most[metric] = held.quantile(_NEARLY_ALL)
            self._host_tails[metric] = shrunk_tails(held, self._roles)
            self._host_lower[metric] = lower_tails(held, self._roles)
            rows = served[served.metric == metric]
            keys = self._coding.services.of(self._coding.service_keys(rows))
            held = histograms(keys, rows, len(self._coding.services))
            self.of_service[metric] = held
            self._service_tails[metric] = shrunk_tails(held, self._service_groups(), prior=PRIOR)
            self._service_medians[metric] = held.quantile(0.5)
        self._shapes_of_roles(baseline["reference"])

    def _shapes_of_roles(self, sample: pd.DataFrame) -> None:
        """What each role does on each port: sizes are too different for one of both to tell."""
        source = self._coding.sources.of(sample.source)
        proto = self._coding.protos.of(sample.proto)
        place = self._coding.places(proto, self._coding.service_keys(sample))
        count = (len(self._coding.services) + 1) * self._count
        day = sample.day.to_numpy()
        values = {metric: sample[metric].to_numpy(np.int64) for metric in SHAPES}
        values["ratio"] = ratio_of(values)
        # Roles of a port draw towards what the role does on all ports.
        groups = np.arange(count) % self._count
        for name, bins in values.items():
            rows = pd.DataFrame({"day": day, "bin": bins, "connections": 1.0}, copy=False)
            held = histograms(self.role_places(source, place), rows, count)
            self.of_role[name] = held
            self._role_tails[name] = shrunk_tails(held, groups, prior=PRIOR)

    def role_places(self, source: Codes, place: Codes) -> Codes:
        """Of each source's role on each service, the place in :meth:`role_tails`."""
        return self.group_places(self._groups[source], place)

    def group_places(self, group: Codes, place: Codes) -> Codes:
        """Likewise by the number of the role."""
        result: Codes = (place % (len(self._coding.services) + 1)) * self._count + group
        return result

    def role_tails(self, name: str) -> Floats:
        """Chance of each bin of a metric, or of the ratio, or a higher one."""
        return self._role_tails[name]

    def _service_groups(self) -> Codes:
        """Services draw to those of their transport protocol."""
        return self._coding.services.values // 65_536

    def _daily_uploads(self, ports: pd.DataFrame) -> None:
        """What each host sends to each port on its second busiest day."""
        source = self._coding.sources.of(ports.source)
        service = self._coding.service_keys(ports) * 2 + ports.outside.to_numpy(np.int64)
        self._used = Keys(service)
        place = self._used.of(service)
        daily = pd.DataFrame(
            {
                "pair": source * len(self._used) + place,
                "day": ports.day.to_numpy(),
                "sent": ports.bytes_out.to_numpy(float),
            }
        )
        sums = daily.groupby(["pair", "day"]).sent.sum().reset_index()
        sums = sums.sort_values(["pair", "sent"], ascending=[True, False], kind="stable")
        second = sums[sums.groupby("pair").cumcount() == 1]
        self._uploading = Keys(second.pair.to_numpy(np.int64))
        self._uploads = np.append(second.sent.to_numpy(float), 0.0)

    def is_routine(self, rows: Coded) -> npt.NDArray[np.bool_]:
        """Whether the host sends as much on other days, too, and through this port.

        It had connections of that size on two days, and on two days sent half of it or more to that
        port, whoever was there: a backup every night.
        """
        held = self.of_host["bytes_out"].second
        most = np.where(held >= 0, held + _GROWTH, -1)
        sent_bins = rows.bins["bytes_out"]
        reached = np.append(most, -1)[rows.source] >= sent_bins
        pair = pair_keys(rows.source, self._used.of(rows.way), len(self._used))
        sent = self._uploads[self._uploading.of(pair)]
        enough = 2.0 * sent >= _BYTES[sent_bins]
        result: npt.NDArray[np.bool_] = reached & enough
        return result

    def host_tails(self, metric: str) -> tuple[Floats, Floats]:
        """Chance of each bin or a higher, and or a lower one, by source and bin."""
        return self._host_tails[metric], self._host_lower[metric]

    def service_tails(self, metric: str) -> Floats:
        """Chance of each bin or a higher one, by service and bin."""
        return self._service_tails[metric]

    def service_medians(self, metric: str) -> Floats:
        """The middle bin of a metric on each port."""
        return self._service_medians[metric]

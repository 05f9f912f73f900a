"""What local hosts send outside: to whom, how much in half a day, and how much that usually is.

Upload sizes multiply rather than add, so they are compared in log1p. What a host sends to one
destination in half a day is mostly requests; what its busy tenth looks like, and how fast that
thins out, is taken by quantiles (:mod:`analyzer.detectors.burst` does the same), leaving out the
destination that is judged, and drawn towards the population where a host has few samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import numpy.typing as npt

from analyzer.detectors.detection import Shared, shared_contacts
from analyzer.tails import Tail, fit_tail

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from analyzer.records import Records

_BUSY, _BUSIER = 0.9, 0.95
_SCALE = math.log(2)
_PRIOR_WEIGHT = 10.0
# What is expected of hosts nobody knows, after real and generated office days: the busy tenth of
# destinations get 12 kB and more in half a day, and a tenth of those 6 times as much.
_COMMON_BUSY, _COMMON_SCALE = math.log(12_000.0), 0.8
# A factor of 1.35 up is no news, however steady a host is.
_LEAST_SCALE = 0.3
_PRIOR_TAIL = Tail(threshold=0.0, share=1 - _BUSY, scale=1.0, support=0)
_LEAST_TAIL_SCALE = 0.5


def uploads(records: Records, shared: Shared) -> ir.Table:
    """What each local host sent to each outside host in each half day.

    Columns: ``orig_h resp_h half_day first last sent received connections``. TCP that was not
    answered carries nothing, and echoes are :mod:`analyzer.detectors.icmp_tunnel`'s. Computed once
    per run.
    """

    def compute() -> ir.Table:
        tried = shared_contacts(records, shared)
        outward = tried.filter(
            tried.source_is_local
            & ~tried.is_local
            & (tried.proto != "icmp")
            & (tried.answered | (tried.proto != "tcp"))
        )
        table = outward.group_by("orig_h", "resp_h", "half_day").aggregate(
            first=outward["first"].min(),
            last=outward["last"].max(),
            sent=outward.bytes_out.sum(),
            received=outward.bytes_in.sum(),
            connections=outward.connections.sum().cast("int64"),
        )
        return records.keep(table, "uploads")

    return shared.get(uploads, compute)


@dataclass(frozen=True, slots=True)
class Usual:
    """What one host usually sends to one destination in half a day.

    Attributes:
        busy: log1p of what the busy tenth of its destinations get at least.
        scale: how fast that thins out, in log1p.
        samples: how many destinations and half days of its own it rests on.
    """

    busy: float
    scale: float
    samples: int

    def above(self, sent: float) -> float:
        """How far an amount lies above the busy tenth, in tail scales."""
        return (math.log1p(sent) - self.busy) / self.scale


def usual_of(sizes: npt.NDArray[np.float64], towards: Usual) -> Usual:
    """What these amounts (bytes) say, drawn towards another with the weight of ten samples."""
    count = int(sizes.size)
    if not count:
        return Usual(towards.busy, towards.scale, 0)
    busy, busier = np.quantile(np.log1p(sizes), (_BUSY, _BUSIER))
    weight = count + _PRIOR_WEIGHT
    scale = (count * (busier - busy) / _SCALE + _PRIOR_WEIGHT * towards.scale) / weight
    return Usual(
        busy=float((count * busy + _PRIOR_WEIGHT * towards.busy) / weight),
        scale=max(float(scale), _LEAST_SCALE),
        samples=count,
    )


@dataclass(frozen=True, slots=True)
class Population:
    """All uploads of a run: what a host usually sends, and how heavy the tail beyond that is.

    Attributes:
        usual: of the median host.
        tail: of the distance above each host's own busy tenth.
        samples: amounts that the tail was fitted on.
    """

    usual: Usual
    tail: Tail
    samples: int


def population(sent: ir.Table) -> Population:
    """The population of :func:`uploads`."""
    x = (sent.sent + 1).ln()
    own = sent.group_by("orig_h").aggregate(
        samples=sent.count(), own_busy=x.quantile(_BUSY), own_busier=x.quantile(_BUSIER)
    )
    hosts = own.order_by("orig_h").to_pandas()
    weight = len(hosts) + _PRIOR_WEIGHT
    middle = _middle(hosts.own_busy)
    scales = (hosts.own_busier - hosts.own_busy) / _SCALE
    usual = Usual(
        busy=(len(hosts) * middle + _PRIOR_WEIGHT * _COMMON_BUSY) / weight,
        scale=max(
            (len(hosts) * _middle(scales) + _PRIOR_WEIGHT * _COMMON_SCALE) / weight, _LEAST_SCALE
        ),
        samples=len(hosts),
    )
    joined = sent.mutate(x=x).join(own, "orig_h")
    count = joined.samples + _PRIOR_WEIGHT
    busy = (joined.samples * joined.own_busy + _PRIOR_WEIGHT * usual.busy) / count
    scale = (
        joined.samples * (joined.own_busier - joined.own_busy) / _SCALE
        + _PRIOR_WEIGHT * usual.scale
    ) / count
    above = joined.select(z=(joined.x - busy) / ibis.greatest(scale, _LEAST_SCALE))
    sample = above.z.to_pandas().to_numpy()
    if not sample.size:
        return Population(usual, _PRIOR_TAIL, 0)
    tail = fit_tail(sample, prior=_PRIOR_TAIL, least_scale=_LEAST_TAIL_SCALE)
    return Population(usual, tail, int(sample.size))


def _middle(values: pd.Series[float]) -> float:
    return float(values.median()) if len(values) else 0.0

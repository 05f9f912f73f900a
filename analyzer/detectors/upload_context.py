"""What stands around an upload: who else goes there, whose data it may be, what else is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.derived import FIRST_USER_PORT
from analyzer.detectors.detection import Shared, shared_contacts, shared_local_hosts
from analyzer.detectors.transfers import DAY, Transfer
from analyzer.detectors.upload_destinations import lookup_habits, visitors
from analyzer.detectors.uploads import uploads
from analyzer.features import HALF_DAY

if TYPE_CHECKING:
    from analyzer.records import Records

# File sharing meets many hosts on many ports of their own choice within half a day.
_SWARM_HOSTS, _SWARM_PORTS = 50, 25


@dataclass(frozen=True, slots=True)
class Context:
    """What an upload is judged beside.

    Attributes:
        hosts: how many local hosts there are.
        others: how many other local hosts go to that place.
        others_sent: the most that each of them sent it in half a day, bytes, most first.
        lookups: share of the source's outside destinations that some DNS answer holds.
        collected: bytes that other local hosts sent to the source in the day before its end.
        contributors: how many hosts contributed, by weight (inverse Simpson index).
        sent_in_all: bytes that the source sent outside in the half days of the upload.
        swarm: whether it met many hosts on many ports then, as file sharing does.
        met: when the source first met the place.
        seen: when the source was first seen to send anything outside.
        seen_last: when it was last seen to.
    """

    hosts: int
    others: int
    others_sent: tuple[float, ...]
    lookups: float
    collected: float
    contributors: float
    sent_in_all: float
    swarm: bool
    met: float
    seen: float
    seen_last: float


def contexts(
    records: Records, found: Sequence[Transfer], places: Mapping[str, str], shared: Shared
) -> list[Context]:
    """The context of each transfer.

    Args:
        records: the records of the run.
        found: the transfers.
        places: the place of each address that is in question.
        shared: what other rules have computed.
    """
    if not found:
        return []
    sources = sorted({transfer.source for transfer in found})
    hosts = shared_local_hosts(records, shared)
    habits = lookup_habits(records, sources, shared)
    gone = visitors(records, dict(places), shared)
    given = _given(records, sources, shared)
    outward = _outward(records, sources, shared)
    by_source = {str(source): rows for source, rows in outward.groupby("orig_h")}
    result = []
    for transfer in found:
        own = by_source[transfer.source]
        halves = own[_overlaps(own, transfer.first, transfer.last)]
        there = own[own.resp_h.map(places.get) == transfer.place]
        others = {
            source: sent
            for source, sent in gone.get(transfer.place, {}).items()
            if source != transfer.source
        }
        received = given[
            (given.resp_h == transfer.source).to_numpy()
            & _overlaps(given, transfer.last - DAY, transfer.last)
        ]
        amounts = received.groupby("orig_h").sent.sum().to_numpy()
        result.append(
            Context(
                hosts=hosts,
                others=len(others),
                others_sent=tuple(sorted(others.values(), reverse=True)),
                lookups=habits[transfer.source],
                collected=float(amounts.sum()),
                contributors=_effective(amounts),
                sent_in_all=float(halves.sent.sum()),
                swarm=_is_swarm(records, transfer, halves, shared),
                met=float(there["first"].min()) if len(there) else transfer.first,
                seen=float(own["first"].min()),
                seen_last=float(own["last"].max()),
            )
        )
    return result


def _overlaps(rows: pd.DataFrame, begin: float, end: float) -> npt.NDArray[np.bool_]:
    half = rows.half_day.to_numpy()
    result: npt.NDArray[np.bool_] = (half >= np.floor(begin / HALF_DAY)) & (
        half <= np.floor(end / HALF_DAY)
    )
    return result


def _outward(records: Records, sources: Sequence[str], shared: Shared) -> pd.DataFrame:
    """All that these sources sent outside."""
    sent = uploads(records, shared)
    table = sent.filter(sent.orig_h.isin(sources))
    frame: pd.DataFrame = table.order_by("orig_h", "resp_h", "half_day").to_pandas()
    return frame


def _given(records: Records, sources: Sequence[str], shared: Shared) -> pd.DataFrame:
    """What other local hosts sent to these sources in each half day."""
    tried = shared_contacts(records, shared)
    inward = tried.filter(
        tried.source_is_local & tried.resp_h.isin(sources) & (tried.orig_h != tried.resp_h)
    )
    table = inward.group_by("orig_h", "resp_h", "half_day").aggregate(sent=inward.bytes_out.sum())
    frame: pd.DataFrame = table.order_by("orig_h", "resp_h", "half_day").to_pandas()
    return frame


def _effective(amounts: npt.NDArray[np.float64]) -> float:
    """How many equal contributors would be as unequal (Simpson, Nature 163, 1949)."""
    total = float(amounts.sum())
    return total**2 / float((amounts**2).sum()) if total > 0 else 0.0


def _is_swarm(records: Records, transfer: Transfer, halves: pd.DataFrame, shared: Shared) -> bool:
    if halves.resp_h.nunique() < _SWARM_HOSTS:
        return False
    tried = shared_contacts(records, shared)
    met = tried.filter(
        (tried.orig_h == transfer.source)
        & ~tried.is_local
        & (tried.resp_p >= FIRST_USER_PORT)
        & tried.half_day.isin(sorted({int(half) for half in halves.half_day}))
    )
    return int(met.resp_p.nunique().execute() or 0) >= _SWARM_PORTS

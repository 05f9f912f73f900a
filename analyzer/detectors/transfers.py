"""Transfers: what one source sends to one place within a day, cut out of its connections.

A place is a registered domain, a nameless network or an address. Large connections stand for
themselves, small ones are counted together by ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

HOUR, DAY = 3600.0, 86_400.0
SPAN = 22 * HOUR
"""What is sent within it belongs together: less than a day, so that each night stands alone."""

_SLOT = 600.0

# Chunks of one size: nine tenths of them lie within this share of the median, there are some, and
# they carry nearly everything. Tools that split files make them so (ATT&CK T1030).
_ALIKE, _SOME, _NEARLY_ALL = 0.1, 5, 0.8
# Another day has the like if it has at least a quarter of the size, by the clock if within an hour.
_LIKE = 0.25

# Zeek counts TCP payload by sequence numbers, so one stray packet in a connection of a few makes
# gigabytes of nothing. So few packets carry no more than IP's 16-bit length lets them (RFC 791).
_FEW_PACKETS, _MOST_PER_PACKET = 5, 65_535.0


@dataclass(frozen=True)
class Transfer:
    """What a source sent to a place within a day.

    Attributes:
        source: who sent it.
        place: where to.
        rows: its connections, see :func:`connections_of`, in order of time.
        likes: other days on which the source sent the like there.
        clock_likes: those of them on which it did so at the same time of day.
    """

    source: str
    place: str
    rows: pd.DataFrame
    likes: int
    clock_likes: int

    @property
    def sent(self) -> float:
        """Bytes that the source sent."""
        return float(self.rows.sent.sum())

    @property
    def received(self) -> float:
        """Bytes that came back."""
        return float(self.rows.received.sum())

    @property
    def first(self) -> float:
        """When the first connection of it began."""
        return float(self.rows["first"].min())

    @property
    def last(self) -> float:
        """When the last connection of it began."""
        return float(self.rows["last"].max())

    @property
    def lasted(self) -> float:
        """Seconds from the beginning of the first connection to the end of the last."""
        return float(self.rows.end.max()) - self.first

    @property
    def hour_share(self) -> float:
        """How much of it was sent in connections that began within one hour."""
        first, sent = self.rows["first"].to_numpy(), self.rows.sent.to_numpy()
        return float(_sums(first, sent, HOUR).max()) / max(self.sent, 1.0)

    @property
    def active_hours(self) -> int:
        """In how many hours of the clock any of its connections began."""
        return int(np.unique(self.rows["first"].to_numpy() // HOUR).size)

    @property
    def chunks(self) -> int:
        """How many large connections of nearly one size it consists of; 0 if it does not."""
        large = self.rows.sent[self.rows.large].to_numpy()
        if large.size < _SOME:
            return 0
        low, middle, high = np.quantile(large, (0.1, 0.5, 0.9))
        alike = high - low <= _ALIKE * middle and large.size * middle >= _NEARLY_ALL * self.sent
        return int(large.size) if alike else 0


def connections_of(records: Records, pairs: pd.DataFrame, large: float) -> pd.DataFrame:
    """The connections of pairs, those that sent at least `large` bytes one by one.

    Columns: ``orig_h resp_h resp_p proto large first last end sent received connections``.
    """
    wanted = records.keep(pa.Table.from_pandas(pairs, preserve_index=False), "transfer_pairs")
    conn = records.conn.semi_join(wanted, ["orig_h", "resp_h"])
    conn = conn.filter((conn.proto != "icmp") & (conn.answered | (conn.proto != "tcp")))
    size = _plausible(conn.orig_bytes, conn.orig_pkts)
    conn = conn.mutate(
        size=size,
        large=size >= large,
        end=conn.ts + conn.duration.cast("float64").fill_null(0.0),
        slot=ibis.ifelse(size >= large, conn.ts, (conn.ts / _SLOT).floor() * _SLOT),
    )
    keys = ("orig_h", "resp_h", "resp_p", "proto", "large", "slot")
    conn = conn.drop("resp_p").rename(resp_p="tried_p")
    table = conn.group_by(*keys).aggregate(
        first=conn.ts.min(),
        last=conn.ts.max(),
        end=conn.end.max(),
        sent=conn.size.sum(),
        received=conn.resp_bytes.cast("float64").sum().fill_null(0.0),
        connections=conn.count().cast("int64"),
    )
    frame: pd.DataFrame = (
        table.order_by("orig_h", "first", "resp_h", "resp_p", "proto", "large")
        .drop("slot")
        .to_pandas()
    )
    return frame


def _plausible(sent: ir.IntegerColumn, packets: ir.IntegerColumn) -> ir.FloatingColumn:
    """Bytes sent, no more than a few packets can have carried; all where none were counted."""
    size = sent.cast("float64").fill_null(0.0)
    most = packets.cast("float64") * _MOST_PER_PACKET
    few = ((packets > 0) & (packets <= _FEW_PACKETS)).fill_null(False)
    return ibis.ifelse(few, ibis.least(size, most), size).cast("float64")


def transfers(rows: pd.DataFrame, least: float) -> Iterator[Transfer]:
    """The transfers of at least so many bytes, of every source and place.

    Args:
        rows: :func:`connections_of` with a column ``place``.
        least: bytes below which nothing is a transfer.
    """
    for (source, place), group in rows.groupby(["orig_h", "place"], sort=True):
        first, sent = group["first"].to_numpy(), group.sent.to_numpy()
        left = sent.copy()
        while True:
            sums = _sums(first, left, SPAN)
            start = int(np.argmax(sums))
            if sums[start] < least:
                break
            inside = (first >= first[start]) & (first <= first[start] + SPAN) & (left > 0)
            left[inside] = 0.0
            chosen = _trimmed(group[inside])
            begin, end = float(chosen["first"].min()), float(chosen["last"].max())
            amount = float(chosen.sent.sum())
            yield Transfer(
                source=str(source),
                place=str(place),
                rows=chosen,
                likes=_likes(first, sent, (begin + end - DAY) / 2, DAY, amount),
                clock_likes=_likes(first, sent, begin - HOUR, end - begin + 2 * HOUR, amount),
            )


def _sums(
    first: npt.NDArray[np.float64], sent: npt.NDArray[np.float64], span: float
) -> npt.NDArray[np.float64]:
    """For each connection, bytes of those that began no more than `span` seconds later."""
    total = np.concatenate(([0.0], np.cumsum(sent)))
    end = np.searchsorted(first, first + span, side="right")
    result: npt.NDArray[np.float64] = total[end] - total[np.arange(first.size)]
    return result


def _trimmed(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the small talk before and after the large connections, if those carry it all."""
    large = rows[rows.large]
    if large.sent.sum() < _NEARLY_ALL * rows.sent.sum():
        return rows
    return rows[rows["first"].ge(large["first"].min()) & rows["last"].le(large["last"].max())]


def _likes(
    first: npt.NDArray[np.float64],
    sent: npt.NDArray[np.float64],
    begin: float,
    span: float,
    amount: float,
) -> int:
    """On how many other days at least a quarter of the amount was sent in this time of day."""
    day = np.floor((first - begin) / DAY)
    inside = (first - begin - day * DAY <= span) & (day != 0)
    if not inside.any():
        return 0
    _, where = np.unique(day[inside], return_inverse=True)
    return int((np.bincount(where, weights=sent[inside]) >= _LIKE * amount).sum())

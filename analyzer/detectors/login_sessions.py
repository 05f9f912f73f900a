"""The session that follows a series of failed logins: a guess may have been right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from analyzer.derived import LOGIN_SERVICES
from analyzer.detectors.login_attempts import FAILURES
from analyzer.findings import duration, quantity

if TYPE_CHECKING:
    from analyzer.records import Records

# Whoever guesses right, by hand or by program, comes in within the hour.
_SOON = 3600.0
# A session is another thing than the guesses: three times their size, or longer than one may last.
_LARGER = 3.0
# Fewer guesses than these stand before no right one.
_BEFORE = 5


@dataclass(frozen=True, slots=True)
class Session:
    """A session unlike the failed logins before it.

    Attributes:
        source: who opened it.
        target: at whom.
        begin: when, UTC epoch seconds.
        seconds: how long it lasted.
        moved: payload of both sides, bytes.
    """

    source: str
    target: str
    begin: float
    seconds: float
    moved: float

    def __str__(self) -> str:
        return f"{duration(self.seconds)}, {quantity(self.moved, 'B')} with {self.target}"


def sessions_after(records: Records, series: Sequence[pd.DataFrame]) -> list[Session | None]:
    """For each series of failed logins the first session that only comes after it began to fail.

    Args:
        records: what happened.
        series: failed logins by time, as :mod:`analyzer.detectors.login_attempts` has them.

    Returns:
        For each a session, or None: none followed, or there were such sessions before.
    """
    bounds = [_bounds(number, rows) for number, rows in enumerate(series)]
    schema = pa.Schema.from_pandas(bounds[0], preserve_index=False)
    pairs = records.keep(
        pa.Table.from_pandas(pd.concat(bounds), schema, preserve_index=False), "guessed_pairs"
    )
    conn = records.conn.select(
        "orig_h", "resp_h", "resp_p", "ts", "duration", "orig_bytes", "resp_bytes", "answered"
    )
    met = conn.join(pairs, ["orig_h", "resp_h", "resp_p"])
    other = (
        (met.resp_bytes >= _LARGER * met.received)
        | (met.orig_bytes >= _LARGER * met.sent)
        | (met.duration.fill_null(0.0) > met.longest)
    )
    spoke = met.answered & (met.orig_bytes > 0) & (met.resp_bytes > 0)
    sessions = met.filter(other & spoke & (met.ts <= met.end + _SOON))
    frame = sessions.order_by("number", "ts", "orig_h", "resp_h", "resp_p", "orig_bytes")
    found: list[Session | None] = [None] * len(series)
    for number, rows in frame.to_pandas().groupby("number"):
        # Whoever came in before needs no guess.
        if (rows.ts < rows.begin).any():
            continue
        row = rows.iloc[0]
        found[int(number)] = Session(
            source=row.orig_h,
            target=f"{row.resp_h}:{row.resp_p}",
            begin=float(row.ts),
            seconds=round(float(pd.Series([row.duration]).fillna(0.0).iloc[0]), 1),
            moved=float(row.orig_bytes + row.resp_bytes),
        )
    return found


def _bounds(number: int, rows: pd.DataFrame) -> pd.DataFrame:
    """Whom a series is about, when it fails, and what its logins look like."""
    pairs = rows[["orig_h", "resp_h", "resp_p"]].drop_duplicates()
    fifth = rows.ts.iloc[min(_BEFORE, len(rows) - 1)]
    return pairs.assign(
        number=number,
        begin=float(fifth),
        end=float(rows.ts.iloc[-1]),
        sent=float(rows.orig_bytes.median()),
        received=float(rows.resp_bytes.median()),
        longest=FAILURES[LOGIN_SERVICES[int(rows.spoken.iloc[0])]].longest,
    )

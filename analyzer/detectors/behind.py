"""The connections behind a few candidates that a summary led to: with whom, when and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer.features import DAY
from analyzer.networks import is_group

if TYPE_CHECKING:
    from analyzer.records import Records

COLUMNS = (
    "candidate",
    "peer",
    "proto",
    "port",
    "outside",
    "first",
    "last",
    "connections",
    "bytes_out",
    "bytes_in",
    "longest",
)
"""What is told of the connections of one candidate with one peer on one port."""


def connections_behind(records: Records, candidates: pd.DataFrame) -> pd.DataFrame:
    """The connections of each candidate, by peer and port.

    Args:
        records: what happened.
        candidates: ``source begin end`` (UTC epoch seconds, the end left out), and ``proto port``
            where only these are meant; few rows.

    Returns:
        :data:`COLUMNS` (bytes of payload; seconds), most connections first; ``candidate`` is the
        place of the candidate among the rows.
    """
    if candidates.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    given = {
        "candidate": pa.array(np.arange(len(candidates)), pa.int64()),
        "orig_h": pa.array(candidates.source, pa.string()),
        "begin": pa.array(candidates.begin, pa.float64()),
        "end": pa.array(candidates.end, pa.float64()),
    }
    keys = ["orig_h"]
    if "port" in candidates:
        given["proto"] = pa.array(candidates.proto, pa.string())
        given["tried_p"] = pa.array(candidates.port, pa.uint16())
        keys += ["proto", "tried_p"]
    conn = records.conn
    conn = conn.filter(conn.request & ~is_group(conn.resp_h))
    joined = conn.join(records.keep(pa.table(given), "anomaly_candidates"), keys)
    joined = joined.filter((joined.ts >= joined.begin) & (joined.ts < joined.end))
    table = joined.group_by("candidate", "proto", peer="resp_h", port="tried_p").aggregate(
        first=joined.ts.min(),
        last=joined.ts.max(),
        connections=joined.count(),
        bytes_out=joined.orig_bytes.cast("float64").sum().fill_null(0.0),
        bytes_in=joined.resp_bytes.cast("float64").sum().fill_null(0.0),
        longest=joined.duration.cast("float64").max().fill_null(0.0),
        flag=joined.local_resp.any(),
    )
    frame: pd.DataFrame = table.to_pandas()
    frame["outside"] = ~np.asarray(records.local.are_local(frame.peer, frame.flag), dtype=bool)
    frame = frame.sort_values(
        ["candidate", "connections", "peer", "proto", "port"],
        ascending=[True, False, True, True, True],
        kind="stable",
    )
    result: pd.DataFrame = frame[list(COLUMNS)].reset_index(drop=True)
    return result


def of_days(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of days (``source day``) as candidates for :func:`connections_behind`."""
    begin = rows.day.to_numpy(float) * DAY
    kept = [name for name in ("source", "proto", "port") if name in rows]
    return rows[kept].assign(begin=begin, end=begin + DAY).reset_index(drop=True)

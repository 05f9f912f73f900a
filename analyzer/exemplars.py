"""For each finding, the connections that show it: whom an analyst would open first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from analyzer.features import both_ways, plain_name
from analyzer.findings import ConnectionId

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.detectors import Detection
    from analyzer.records import Records

SHOWN = 5
"""How many uids stand in a finding for all its connections."""

_KEYS = {"resp_h": "destination", "resp_p": "port", "proto": "proto"}


def exemplars(
    records: Records, detections: Sequence[Detection]
) -> list[list[tuple[ConnectionId, str | None]]]:
    """The connections that show each detection best, the best first, each with its server name.

    One query answers for all detections of the same kind, and one for all names.
    """
    kinds: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, detection in enumerate(detections):
        keys = [key for key, name in _KEYS.items() if getattr(detection, name) is not None]
        if detection.best == "query":
            keys = []
        kinds[(detection.best, *keys)].append(index)
    shown: list[list[ConnectionId]] = [[] for _ in detections]
    for (best, *keys), indexes in kinds.items():
        for row in _query(records, [(i, detections[i]) for i in indexes], best, keys):
            shown[row["finding"]].append(_connection(row))
    names = _server_names(records, {each.uid for connections in shown for each in connections})
    return [[(each, names.get(each.uid)) for each in connections] for connections in shown]


def _server_names(records: Records, uids: Collection[str | None]) -> dict[str | None, str]:
    """The server names of those connections that have one."""
    known = sorted(uid for uid in uids if uid is not None)
    if not known:
        return {}
    wanted = records.keep(pa.table({"uid": pa.array(known, pa.string())}), "wanted_uids")
    named = records.server_names.semi_join(wanted, "uid").to_pyarrow()
    return dict(zip(named["uid"].to_pylist(), named["server_name"].to_pylist(), strict=True))


def _query(
    records: Records, detections: Sequence[tuple[int, Detection]], best: str, keys: Sequence[str]
) -> list[dict[str, Any]]:
    wanted = records.keep(
        pa.table(
            {
                "finding": [index for index, _ in detections],
                "orig_h": [detection.source for _, detection in detections],
                "begin": [detection.first for _, detection in detections],
                "end": [detection.last for _, detection in detections],
                "below": ["." + detection.subject for _, detection in detections],
                **{
                    key: pa.array(
                        [getattr(detection, _KEYS[key]) for _, detection in detections],
                        pa.uint16() if key == "resp_p" else pa.string(),
                    )
                    for key in keys
                },
            }
        ),
        "wanted_connections",
    )
    rows = records.dns if best == "query" else records.conn
    joined = rows.join(wanted, ["orig_h", *keys])
    joined = joined.filter(joined.ts.between(joined.begin, joined.end))
    if best == "query":
        # The dot in front lets the domain itself stand for what is below it, too.
        joined = joined.filter(("." + plain_name(joined)).endswith(joined.below))
    order = [*_order(joined, best), joined.ts, joined.uid, joined.resp_h, joined.orig_p]
    # Rows without a uid (old or foreign logs) are told apart by their ports.
    ranked = joined.mutate(rank=ibis.row_number().over(group_by=joined.finding, order_by=order))
    few = ranked.filter(ranked["rank"] < SHOWN).select(
        "finding", "rank", "uid", "orig_h", "orig_p", "resp_h", "resp_p", "proto"
    )
    return list(few.order_by("finding", "rank").to_pyarrow().to_pylist())


def _order(rows: ir.Table, best: str) -> list[ir.Value]:
    """What makes a connection show a finding better than others."""
    if best == "failed":
        return [rows.answered]
    if best == "bytes":
        return [both_ways(rows).desc()]
    if best == "query":
        return [rows["query"].length().desc()]
    return []


def _connection(row: dict[str, Any]) -> ConnectionId:
    return ConnectionId(
        uid=row["uid"],
        orig_h=row["orig_h"],
        orig_p=row["orig_p"] or 0,
        resp_h=row["resp_h"],
        resp_p=row["resp_p"] or 0,
        proto=row["proto"],
    )

"""Which of millions of connections could be findings, asked in the engine.

A connection can only be a finding if one of its features is unlikely enough
(:attr:`analyzer.baseline.scoring.Scorer.least_chance`). What that means for bytes and durations is
a limit for each host and each service; what is new for a host is worked out once for each pair. So
the engine compares numbers, and only the few that pass are scored one by one. Nothing that scoring
would report is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from analyzer.baseline.bins import BINS, SHAPES, UNKNOWN_BIN, shape_bin
from analyzer.baseline.coding import RATIO, Coded
from analyzer.baseline.customs import Customs
from analyzer.baseline.habits import Habits
from analyzer.baseline.histograms import SIZE, Floats
from analyzer.baseline.samples import application_name
from analyzer.derived import APPLICATIONS
from analyzer.features import HOUR
from analyzer.networks import is_group

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

_COLUMNS = {
    "bytes_out": "orig_bytes",
    "bytes_in": "resp_bytes",
    "duration": "duration",
    "packets_out": "orig_pkts",
}
_HOURS = 24
_NEVER = float("inf")
# Rounding to bins in the engine and here may differ in the last digit.
_SLACK = 1e-9


def requests(records: Records, met: ir.Table) -> ir.Table:
    """Connections that local hosts began, with ``outside`` and the hour of the day.

    Args:
        records: what happened.
        met: ``orig_h resp_h source_is_local is_local`` of whom met whom, in any number of rows.
    """
    local = met.filter(met.source_is_local).select("orig_h").distinct()
    peers = met.select("resp_h", outside=~met.is_local).distinct()
    conn = records.conn
    conn = conn.filter(conn.request & ~is_group(conn.resp_h))
    conn = conn.semi_join(records.keep(local, "anomaly_sources"), "orig_h")
    conn = conn.join(records.keep(peers, "anomaly_peers"), "resp_h")
    return conn.mutate(hour=((conn.ts / HOUR).floor().cast("int64") % _HOURS).cast("uint8"))


def rows_of(conn: ir.Table) -> pd.DataFrame:
    """Connections of :func:`requests` as :data:`analyzer.baseline.coding.ROW`, alike ones once.

    Beside them: ``at`` (hours since 1970), ``connections`` (how many are alike), ``first last``
    (times), and the largest ``orig_bytes resp_bytes lasted packets`` of them.
    """
    conn = conn.mutate(application_name=application_name(conn.application))
    keys = {
        "source": "orig_h",
        "peer": "resp_h",
        "proto": "proto",
        "port": "tried_p",
        "application": "application_name",
        "outside": "outside",
        "hour": "hour",
        "answered": "answered",
    }
    alike = conn.group_by(
        *(conn[column].name(name) for name, column in keys.items()),
        at=(conn.ts / HOUR).floor().cast("int64"),
        **{metric: shape_bin(conn, metric) for metric in SHAPES},
    ).aggregate(
        connections=conn.count(),
        first=conn.ts.min(),
        last=conn.ts.max(),
        orig_bytes=conn.orig_bytes.max().cast("float64"),
        resp_bytes=conn.resp_bytes.max().cast("float64"),
        lasted=conn.duration.max().cast("float64"),
        packets=conn.orig_pkts.max().cast("float64"),
    )
    frame: pd.DataFrame = alike.order_by("at", *keys, *SHAPES).to_pandas()
    return frame


def candidates(records: Records, met: ir.Table, habits: Habits, chance: float) -> ir.Table:
    """The connections of :func:`requests` of which a feature has such a chance or less.

    Args:
        records: what happened.
        met: ``orig_h resp_h resp_p proto source_is_local is_local`` of whom met whom.
        habits: what is usual.
        chance: above it nothing is looked for.
    """

    def held(frame: pd.DataFrame, name: str) -> ir.Table:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        return records.keep(table, f"anomaly_{name}")

    local = met.filter(met.source_is_local)
    hosts = local.select("orig_h").distinct().to_pandas()
    ports = local.select("proto", port="resp_p").distinct().to_pandas()
    by_host = held(_host_limits(hosts.orig_h, habits, chance), "hosts")
    by_port = held(_port_limits(ports, habits, chance), "ports")
    conn = requests(records, met)
    columns = conn.columns
    table = conn.join(by_host, conn.orig_h == by_host.host)
    table = table.join(
        by_port,
        [
            table.proto == by_port.of_proto,
            table.tried_p == by_port.of_port,
            table.host_group == by_port.group,
        ],
    )
    tried = local.mutate(tried_p=local.resp_p, outside=~local.is_local)
    spoken = records.conn.filter(records.conn.request)
    for name, keys, judge in _NEWS:
        every = spoken if "application" in keys else tried
        news = held(_news(every, habits, chance, keys, judge), name).mutate(**{name: True})
        table = table.left_join(news, list(keys), rname="{name}_" + name)
    bit = ibis.literal(1).cast("int64") << table.hour.cast("int64")
    unlikely = [
        *(table[name] for name, _, _ in _NEWS),
        ~table.answered & table.failure_is_news,
        (bit & table.quiet_hours) != 0,
        (bit & table.rare_hours) != 0,
        table.orig_bytes + 1.0 >= table.ratio_limit * (table.resp_bytes + 1.0),
    ]
    for metric in SHAPES:
        value = table[_COLUMNS[metric]].cast("float64")
        unlikely += [
            value >= table[f"{metric}_most"],
            value >= table[f"{metric}_limit"],
            table.answered & (value <= table[f"{metric}_least"]),
        ]
    passed = ibis.or_(*(condition.fill_null(False) for condition in unlikely))
    return table.filter(passed).select(*columns)


def _first_below(tails: Floats, chance: float) -> npt.NDArray[np.int64]:
    """The first bin of each row whose chance is small enough; the unknown bin if there is none."""
    return np.where((tails <= chance).any(axis=1), np.argmax(tails <= chance, axis=1), UNKNOWN_BIN)


def _value_from(bins: npt.NDArray[np.int64], metric: str) -> Floats:
    """The least value that is put in each bin, or a little less; infinite for the unknown bin."""
    edge = (np.exp2((bins - 0.5) / BINS) - 1.0) / SHAPES[metric]
    least = np.where(bins <= 0, 0.0, edge * (1 - _SLACK) - _SLACK)
    return np.where(bins >= UNKNOWN_BIN, _NEVER, least)


def _host_limits(hosts: pd.Series[str], habits: Habits, chance: float) -> pd.DataFrame:
    source = habits.coding.sources.of(hosts.to_numpy())
    columns: dict[str, npt.ArrayLike] = {
        "host": hosts.to_numpy(),
        "host_group": habits.groups[source],
    }
    for metric in SHAPES:
        upper, lower = habits.sizes.host_tails(metric)
        columns[f"{metric}_most"] = _value_from(_first_below(upper[source], chance), metric)
        small = 2.0 * lower[source, :UNKNOWN_BIN] <= chance
        last = np.where(small.any(axis=1), UNKNOWN_BIN - 1 - small[:, ::-1].argmax(axis=1), -1)
        # Up to where the next bin begins, and a little more.
        edge = (np.exp2((last + 0.5) / BINS) - 1.0) / SHAPES[metric]
        columns[f"{metric}_least"] = np.where(last < 0, -1.0, edge * (1 + _SLACK) + _SLACK)
    columns["failure_is_news"] = habits.customs.failure_chances.of(source) <= chance
    quiet = ~habits.customs.active_hours[source] & habits.customs.has_habits[source][:, None]
    quiet &= (habits.customs.hour_chances.of(source) <= chance)[:, None]
    columns["quiet_hours"] = quiet.astype(np.int64) @ (1 << np.arange(_HOURS))
    return pd.DataFrame(columns)


def _port_limits(ports: pd.DataFrame, habits: Habits, chance: float) -> pd.DataFrame:
    """The limits of each port for each role."""
    every = np.unique(habits.groups)
    ports = ports.loc[np.repeat(ports.index.to_numpy(), len(every))]
    group = np.tile(every, len(ports) // len(every))
    place = habits.coding.service_places(ports.proto.to_numpy(), ports.port.to_numpy(np.int64))
    by_role = habits.sizes.group_places(group, place)
    columns: dict[str, npt.ArrayLike] = {
        "of_proto": ports.proto.to_numpy(),
        "of_port": ports.port.to_numpy(),
        "group": group,
    }
    for metric in SHAPES:
        first = np.minimum(
            _first_below(habits.sizes.service_tails(metric), chance)[place],
            _first_below(habits.sizes.role_tails(metric), chance)[by_role],
        )
        columns[f"{metric}_limit"] = _value_from(first, metric)
    first = _first_below(habits.sizes.role_tails("ratio"), chance)[by_role]
    # Both were rounded to bins: their difference is up to a bin off.
    ratio = np.exp2((np.minimum(first, SIZE) - RATIO - 1.0) / BINS) * (1 - _SLACK)
    columns["ratio_limit"] = np.where(first >= UNKNOWN_BIN, _NEVER, ratio)
    rare = (habits.customs.service_hours <= chance).astype(np.int64) @ (1 << np.arange(_HOURS))
    columns["rare_hours"] = rare[place]
    return pd.DataFrame(columns)


_Judge = Callable[[Customs, Coded], Floats]
_NEWS: tuple[tuple[str, tuple[str, ...], _Judge], ...] = (
    ("new_port", ("orig_h", "proto", "tried_p", "outside"), Customs.port_news),
    ("new_application", ("orig_h", "proto", "tried_p", "application"), Customs.application_news),
    ("new_peer", ("orig_h", "resp_h", "outside"), Customs.peer_news),
)


def _news(
    tried: ir.Table, habits: Habits, chance: float, keys: tuple[str, ...], judge: _Judge
) -> pd.DataFrame:
    """What of all that there is between keys is news."""
    frame = tried.select(*keys).distinct().to_pandas()
    named = frame.rename(columns={"orig_h": "source", "resp_h": "peer", "tried_p": "port"})
    if "application" in keys:
        names = np.array(APPLICATIONS, dtype=object)
        named = named.assign(application=names[named.application.to_numpy(np.int64)])
    # What only answered connections can be is looked at more closely when they are scored.
    news: pd.DataFrame = frame[judge(habits.customs, habits.coded(named)) <= chance]
    return news

"""Bursts: far more connections or bytes in five minutes than a source, or a pair, ever shows.

Counts are compared in log1p, since traffic multiplies rather than adds. The expected value is the
median of the same hour (of the week, else of working days or weekends) where it has enough samples,
else of the source. What exceeds it is measured against the source's own busy tenth, by quantiles,
which a burst cannot widen as it widens a mean and a standard deviation (masking: Hampel, JASA 69,
1974). All are drawn towards the population where a source has few samples of its own. What remains
is cut by its tail probability over all sources (:mod:`analyzer.tails`), and must matter besides:
several times what was expected, several times the most that any other hour shows, and more than a
floor. What happens on other days at the same time
is a routine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import ibis
import numpy as np

from analyzer.detectors.detection import (
    Detection,
    Detector,
    Shared,
    score_on,
    shared_conversations,
)
from analyzer.features import DAY, HALF_DAY, HOUR, both_ways
from analyzer.findings import Evidence, Severity, duration, quantity
from analyzer.networks import is_group
from analyzer.parameters import Bytes, Probability, Seconds
from analyzer.tails import Tail, fit_tail

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

# Samples from which a level of the fallback (hour of week, hour of day, host) speaks for itself,
# and the weight of the population beside a host's own samples.
_ENOUGH = 20
_PRIOR_WEIGHT = 10.0
# Traffic is idle or busy, so its ordinary spread says little; what a host's busy tenth looks like
# says more. Above its 90% quantile an exponential tail (in log1p) halves by the 95% one, and a
# burst that fills less than a twentieth of a host's time moves neither.
_BUSY, _BUSIER = 0.9, 0.95
_SCALE = math.log(2)
# A factor of 1.35 up is no news, however steady a host is.
_LEAST_SCALE = 0.3
# In units of the host's own tail: where too few excesses tell, what its own tail says.
_PRIOR_TAIL = Tail(threshold=0.0, share=1 - _BUSY, scale=1.0, support=0)
_LEAST_TAIL_SCALE = 0.5
_DAY_HOURS = 24
_WEEK_HOURS = 168
# 1970-01-01 was a Thursday: hours from Monday 00:00 to it.
_EPOCH_WEEK_HOUR = 72
_WEEKEND = 120

# -log10 of the tail probability, over the bound asked for -> score.
_CURVE = ((0.0, 0.7), (2.0, 0.8), (5.0, 0.9), (9.0, 0.95), (300.0, 0.99))
# With fewer buckets than this the tail rests on next to nothing: say so, but not loudly.
_SUPPORT = 2000
_UNSUPPORTED = 0.79
# Backups, updates and copies move as much every night: on a single day nobody can tell, and every
# office has some. They are kept, but are not worth a line; what leaves the site has detectors that
# ask where it goes.
_DAYS = 2.0
_ONE_DAY = Severity.LOW.bound - 0.01
# The like: at least a quarter of the size, within an hour of the time of day, on another day.
_LIKE = 0.25
_AROUND = 3600.0
_ROUTINE = 0.5
# Sums of floats are a little off.
_NEARLY = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Parameters:
    """What to count, and from where on it is a burst."""

    of: Literal["connections", "bytes"] = field(
        default="connections", metadata={"meaning": "what is counted"}
    )
    per: Literal["source", "pair"] = field(
        default="source", metadata={"meaning": "whose traffic: a source's, or a pair's"}
    )
    bucket: Seconds = field(default=300.0, metadata={"meaning": "time counted together"})
    false_alarm: Probability = field(
        default=1e-4, metadata={"meaning": "tail probability from which a bucket is reported"}
    )
    factor: float = field(default=8.0, metadata={"meaning": "least multiple of what was expected"})
    record: float = field(
        default=3.0, metadata={"meaning": "least multiple of the most seen in any other hour"}
    )
    connections_floor: int = field(
        default=300, metadata={"meaning": "least connections in a bucket"}
    )
    bytes_floor: Bytes = field(default=100e6, metadata={"meaning": "least bytes in a bucket"})


def find(records: Records, parameters: Parameters, shared: Shared) -> Iterator[Detection]:
    """Buckets whose count has a tail probability below the bound."""
    keys = ("orig_h",) if parameters.per == "source" else ("orig_h", "resp_h")
    counted = shared.get(
        (__name__, parameters.bucket),
        lambda: _buckets(records.conn, ("orig_h",), parameters, records),
    )
    loud = counted.filter(counted[parameters.of] >= _floor(parameters))
    if not loud.count().execute():
        return
    if parameters.per == "pair":
        floors = (parameters.bucket, parameters.connections_floor, parameters.bytes_floor)
        pairs = shared.get(
            (__name__, *floors), lambda: _pair_buckets(records, counted, parameters, shared)
        )
        ever_loud = pairs.filter(pairs[parameters.of] >= _floor(parameters)).select(*keys)
        counted = pairs.semi_join(ever_loud, keys)
    days = ((records.last or 0.0) - (records.first or 0.0)) / DAY
    scored = records.keep(_scored(counted, keys, days, parameters), "burst_scored")
    deviations = scored.z.to_pandas().to_numpy()
    if not deviations.size:
        return
    tail = fit_tail(deviations, prior=_PRIOR_TAIL, least_scale=_LEAST_TAIL_SCALE)
    loud = _routine(_loud(scored, tail, parameters), scored, keys, parameters)
    loud = loud.order_by(*keys, "bucket").to_pandas()
    chances = tail.probability(loud.z)
    for row, chance in zip(loud.to_dict("records"), chances, strict=True):
        if chance <= parameters.false_alarm:
            yield _detection(row, float(chance), _Basis(deviations.size, days), parameters)


def _buckets(
    conn: ir.Table, keys: tuple[str, ...], parameters: Parameters, records: Records
) -> ir.Table:
    """Connections and bytes of each key in each bucket."""
    floors = f"{parameters.connections_floor}_{parameters.bytes_floor:g}"
    name = f"burst_buckets_{'_'.join(keys)}_{parameters.bucket:g}_{floors}"
    table = conn.group_by(*keys, bucket=_bucket(conn, parameters)).aggregate(
        connections=conn.count(),
        bytes=both_ways(conn).sum().cast("int64"),
        first=conn.ts.min(),
        last=conn.ts.max(),
    )
    return records.keep(table, name)


def _bucket(conn: ir.Table, parameters: Parameters) -> ir.IntegerColumn:
    return (conn.ts / parameters.bucket).floor().cast("int64")


def _pair_buckets(
    records: Records, sources: ir.Table, parameters: Parameters, shared: Shared
) -> ir.Table:
    """The buckets of every pair that may ever be loud, in connections or in bytes.

    A pair cannot be loud unless its source is, nor in a bucket unless it is in the half days that
    hold it; most connections are never counted by pair.
    """
    floors = {"connections": parameters.connections_floor, "bytes": parameters.bytes_floor}
    met = shared_conversations(records, shared)
    met = met.mutate(bytes=met.bytes_out + met.bytes_in)
    halves = met.group_by("orig_h", "resp_h", "half_day").aggregate(
        **{count: met[count].sum() for count in floors}
    )
    # A bucket that does not divide half a day lies in more than one.
    parts = 1 if HALF_DAY % parameters.bucket == 0 else 1 + math.ceil(parameters.bucket / HALF_DAY)
    pairs = halves.filter(~is_group(halves.resp_h)).filter(
        ibis.or_(
            *(
                (halves[count] >= floor / parts * _NEARLY)
                & halves.orig_h.isin(sources.filter(sources[count] >= floor).orig_h)
                for count, floor in floors.items()
            )
        )
    )
    pairs = records.keep(pairs.select("orig_h", "resp_h").distinct(), "burst_pairs")
    conn = records.conn.semi_join(pairs, ["orig_h", "resp_h"])
    return _buckets(conn, ("orig_h", "resp_h"), parameters, records)


def _scored(
    table: ir.Table, keys: tuple[str, ...], days: float, parameters: Parameters
) -> ir.Table:
    """Buckets with what was expected of them (`middle`, in log1p) and how far above (`z`).

    A level of the fallback that cannot have samples enough within so many days is left out.
    """
    hour = (table.bucket * parameters.bucket / HOUR).floor().cast("int64")
    week_hour = (hour + _EPOCH_WEEK_HOUR) % _WEEK_HOURS
    table = table.mutate(
        x=(table[parameters.of].cast("float64") + 1).ln().cast("float64"),
        week_hour=week_hour,
        day_hour=hour % _DAY_HOURS + ibis.ifelse(week_hour >= _WEEKEND, _DAY_HOURS, 0),
    )
    for level, by in (("own", keys), ("day", (*keys, "day_hour")), ("week", (*keys, "week_hour"))):
        if level == "own" or days * _DAY_HOURS >= _ENOUGH * parameters.bucket / HOUR * (
            _DAY_HOURS if level == "day" else _WEEK_HOURS
        ):
            middles = table.group_by(*by).aggregate(
                **{f"{level}_middle": table.x.median(), f"{level}_samples": table.count()}
            )
            table = table.join(middles, by)
    return _deviations(table, keys)


def _deviations(table: ir.Table, keys: tuple[str, ...]) -> ir.Table:
    population = table.aggregate(middle=table.own_middle.median()).middle.as_scalar()
    samples = table.own_samples
    table = table.mutate(
        middle=ibis.cases(
            *(
                (table[f"{level}_samples"] >= _ENOUGH, table[f"{level}_middle"])
                for level in ("week", "day")
                if f"{level}_samples" in table.columns
            ),
            (
                samples >= 0,
                (samples * table.own_middle + _PRIOR_WEIGHT * population)
                / (samples + _PRIOR_WEIGHT),
            ),
        ).cast("float64")
    )
    table = table.mutate(off=table.x - table.middle)
    own = table.group_by(*keys).aggregate(
        own_busy=table.off.quantile(_BUSY), own_busier=table.off.quantile(_BUSIER)
    )
    own = own.mutate(own_scale=(own.own_busier - own.own_busy) / _SCALE)
    common = own.aggregate(busy=own.own_busy.median(), scale=own.own_scale.median())
    table = table.join(own, keys)
    weight = samples + _PRIOR_WEIGHT
    busy = (samples * table.own_busy + _PRIOR_WEIGHT * common.busy.as_scalar()) / weight
    scale = (samples * table.own_scale + _PRIOR_WEIGHT * common.scale.as_scalar()) / weight
    z = (table.off - busy) / ibis.greatest(scale, _LEAST_SCALE)
    return table.mutate(z=z.cast("float64"))


def _floor(parameters: Parameters) -> float:
    return (
        parameters.connections_floor if parameters.of == "connections" else parameters.bytes_floor
    )


def _loud(scored: ir.Table, tail: Tail, parameters: Parameters) -> ir.Table:
    """Buckets past the tail's threshold that matter."""
    count = scored[parameters.of]
    usual = scored.middle.exp() - 1
    return scored.filter(
        (scored.z > tail.threshold)
        & (count >= _floor(parameters))
        & (count >= parameters.factor * usual)
    )


def _routine(
    loud: ir.Table, scored: ir.Table, keys: tuple[str, ...], parameters: Parameters
) -> ir.Table:
    """Loud buckets beyond any other hour's, and on how many other days the like happens then."""
    others = scored.select(*keys, other=scored.bucket, size=scored[parameters.of])
    pairs = loud.left_join(others, keys, rname="{name}_of_other")
    later = (pairs.other - pairs.bucket) * parameters.bucket
    apart = later.abs()
    like = (
        (apart > DAY / 2)
        & ((apart + _AROUND) % DAY <= 2 * _AROUND)
        & (pairs["size"] >= _LIKE * pairs[parameters.of])
    )
    kept = pairs.group_by(*loud.columns).aggregate(
        routine=(later / DAY).round().nunique(where=like),
        record=pairs["size"].max(where=apart > _AROUND).fill_null(0),
    )
    return kept.filter(kept[parameters.of] >= parameters.record * kept["record"])


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a judgement rests on: how many buckets, over how many days."""

    buckets: int
    days: float


def _detection(
    row: dict[Any, Any], chance: float, basis: _Basis, parameters: Parameters
) -> Detection:
    unit = "B" if parameters.of == "bytes" else ""
    seen = float(row[parameters.of])
    usual = round(float(np.expm1(row["middle"])), 1)
    score = score_on(math.log10(parameters.false_alarm / chance), _CURVE)
    if row["routine"]:
        score = min(score, _ROUTINE)
    elif unit and basis.days < _DAYS:
        score = min(score, _ONE_DAY)
    elif basis.buckets < _SUPPORT:
        score = min(score, _UNSUPPORTED)
    destination = row["resp_h"] if parameters.per == "pair" else None
    towards = f" with {destination}" if destination else ""
    what = quantity(seen, unit) if unit else f"{seen:,.0f} connections"
    verb = "exchanged" if unit else "made"
    return Detection(
        source=row["orig_h"],
        destination=destination,
        first=float(row["first"]),
        last=float(row["last"]),
        score=score,
        message=(
            f"{row['orig_h']} {verb} {what}{towards} within {duration(parameters.bucket)}, "
            f"usually {quantity(usual, unit)}"
        ),
        evidence=(
            Evidence(
                f"{parameters.of} in {duration(parameters.bucket)}",
                seen,
                expected=usual,
                threshold=_floor(parameters),
                unit=unit,
            ),
            Evidence(
                "above its busy tenth, in its own tail scales", round(row["z"], 2), expected=1.0
            ),
            Evidence("tail probability", f"{chance:.1g}", threshold=parameters.false_alarm),
            Evidence("buckets it is judged against", basis.buckets, threshold=_SUPPORT),
            Evidence("most in any other hour's buckets", float(row["record"]), unit=unit),
            Evidence("days of data", round(basis.days, 1), threshold=_DAYS if unit else None),
            Evidence("other days with the like at that time", row["routine"], expected=0),
        ),
        connections=int(row["connections"]),
        best="bytes" if unit else "first",
    )


DETECTOR = Detector("burst", Parameters, find)

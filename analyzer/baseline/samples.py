"""Samples of connections and of sources' five minutes: what models of the usual are fitted on.

Which are in a sample is decided by marks worked out of what the records are, so that the same ones
give the same sample in any order, and the samples of two parts of a day make one of the whole
(bottom-k sampling: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from analyzer.baseline.bins import SHAPES
from analyzer.baseline.numbered import MINUTE, Numbered
from analyzer.derived import APPLICATIONS
from analyzer.features import DAY

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analyzer.records import Records

MOST = 512
"""Rows of a sample of one day."""

SLOT = 300.0
"""Seconds of the windows that sources are looked at in."""

# Park and Miller, "Random number generators: good ones are hard to find", Communications of the
# ACM 31 (1988): a prime and a multiplier whose products stay within 63 bits on every backend.
_PRIME = 2**31 - 1
_MULTIPLIER = 48271
_MICROSECONDS = 1e6


def mark_of(ts: ir.FloatingValue, salt: ir.IntegerValue) -> ir.IntegerValue:
    """A number in [0, 2^31) that scatters a time, to the microsecond, and a small whole number."""
    return scattered((ts * _MICROSECONDS).round().cast("int64"), salt)


def scattered(number: ir.IntegerValue, salt: ir.IntegerValue) -> ir.IntegerValue:
    """A number in [0, 2^31) that scatters a whole number and a smaller one, none below 0."""
    mixed = (number % _PRIME * _MULTIPLIER + salt.cast("int64").fill_null(0)) % _PRIME
    # A square ends the generator's lattice: neighbours in time are none in the sample.
    mixed = (mixed * mixed + mixed) % _PRIME
    return (mixed * _MULTIPLIER) % _PRIME


def smallest(rows: ir.Table) -> ir.Table:
    """The rows of each day with the smallest marks, no more than :data:`MOST`."""
    others = [name for name in rows.columns if name not in ("day", "mark")]
    order = ibis.row_number().over(group_by="day", order_by=["mark", *sorted(others)])
    return rows.mutate(order=order).filter(lambda t: t.order < MOST).drop("order")


def application_name(application: ir.IntegerValue) -> ir.StringValue:
    """The name of an application given by index into :data:`analyzer.derived.APPLICATIONS`."""
    return application.cases(*enumerate(APPLICATIONS[:-1]), else_=APPLICATIONS[-1])


def reference(conn: Numbered, records: Records) -> ir.Table:
    """A sample of each day's connections of local hosts, those that are alike once.

    Those that are alike share a mark, so that only those are grouped that may be in the sample.

    Args:
        conn: the connections.
        records: where they come from.
    """
    rows = conn.rows
    rows = rows.filter(rows.is_local & ~rows.is_group)
    hour = rows.minute // 60
    # Numbers are grouped faster than ten columns.
    met = hour.cast("int64")
    for value, bits in (
        (rows.proto, 8),
        (rows.port, 16),
        (rows.application, 8),
        (rows.answered.cast("int8"), 1),
        (rows.outside.cast("int8"), 1),
    ):
        met = (met << bits) | value
    first, *others = SHAPES
    shape = rows[first].cast("int64")
    for metric in others:
        shape = (shape << 8) | rows[metric]
    marked = rows.select(
        "orig",
        "resp",
        "ts",
        day=(hour // 24).cast("int32"),
        met=met,
        shape=shape,
        mark=scattered(scattered(met, rows.salt), shape),
    )
    few = _few(marked, records)
    alike = few.group_by("orig", "day", "met", "shape", "mark").aggregate(
        # Of those that begin at once, the same one whatever the order.
        resp=few.resp.argmin(ibis.struct({"ts": few.ts, "resp": few.resp})),
        connections=few.count().cast("float64"),
    )
    hour = alike.met >> 34
    alike = alike.select(
        "orig",
        "resp",
        "connections",
        "day",
        "mark",
        hour=(hour % 24).cast("uint8"),
        proto=((alike.met >> 26) & 0xFF).cast("uint8"),
        port=((alike.met >> 10) & 0xFFFF).cast("uint16"),
        application=((alike.met >> 2) & 0xFF).cast("uint8"),
        answered=((alike.met >> 1) & 1) == 1,
        outside=(alike.met & 1) == 1,
        **{
            metric: ((alike.shape >> (8 * place)) & 0xFF).cast("uint8")
            for place, metric in enumerate(reversed(SHAPES))
        },
    )
    few = conn.with_address(smallest(alike), "orig", "source")
    few = conn.with_address(few, "resp", "peer")
    return few.mutate(
        proto=conn.proto_name(few.proto), application=application_name(few.application)
    )


def _few(marked: ir.Table, records: Records) -> ir.Table:
    """The rows whose marks may be among the smallest of their day; all that share a mark stay.

    Marks are spread evenly: as many of them are below a limit as its share of all. How many rows
    share one is not known before, so the limit rises for days that have too few below it.
    """
    each = marked.group_by("day").aggregate(rows=marked.count()).to_pyarrow().to_pylist()
    shares = {row["day"]: _SLACK * MOST / row["rows"] for row in each}
    while True:
        highest = [min(math.ceil(share * _PRIME), _PRIME) for share in shares.values()]
        limits = pa.table(
            {"day": pa.array(shares, pa.int32()), "highest": pa.array(highest, pa.int64())}
        )
        joined = marked.join(records.keep(limits, "baseline_marks"), "day")
        few = joined.filter(joined.mark <= joined.highest).drop("highest")
        few = records.keep(few, "baseline_few")
        found = few.group_by("day").aggregate(marks=few.mark.nunique()).to_pyarrow().to_pylist()
        marks = {row["day"]: row["marks"] for row in found}
        short = [day for day in shares if shares[day] < 1.0 and marks.get(day, 0) < MOST]
        if not short:
            return few
        shares |= {day: shares[day] * _SLACK for day in short}


# So many times more rows are let through than are wanted; of most days, no more share a mark.
_SLACK = 16


def windows(conn: Numbered) -> ir.Table:
    """A sample of each day's five minutes of local sources.

    Which those are is decided first, so that only their connections are looked at closely.
    """
    return _summed(conn, smallest(_marked(conn)))


def every_window(conn: Numbered) -> ir.Table:
    """All five minutes of local sources, as in :func:`windows`."""
    return _summed(conn, _marked(conn))


def _marked(conn: Numbered) -> ir.Table:
    """The five minutes of local sources: ``orig at day slot mark``."""
    rows = conn.rows
    each = (
        rows.filter(rows.is_local).group_by("orig", at=_slot(rows)).aggregate(begun=rows.ts.min())
    )
    in_day = int(DAY / SLOT)
    return each.mutate(
        day=(each["at"] // in_day).cast("int32"),
        slot=(each["at"] % in_day).cast("int16"),
        mark=mark_of(each.begun, each["at"] % in_day),
    ).drop("begun")


def _slot(rows: ir.Table) -> ir.IntegerValue:
    return rows.minute // int(SLOT / MINUTE)


def _summed(conn: Numbered, slots: ir.Table) -> ir.Table:
    rows = conn.rows
    own = rows.mutate(at=_slot(rows)).join(slots, ["orig", "at"])
    table = own.group_by("orig", "day", "slot", "mark").aggregate(
        connections=own.count().cast("float64"),
        failed=(~own.answered).sum().cast("float64"),
        destinations=own.resp.nunique().cast("float64"),
        ports=own.port.nunique().cast("float64"),
        bytes_out=own.orig_bytes.cast("float64").sum().fill_null(0.0),
        bytes_in=own.resp_bytes.cast("float64").sum().fill_null(0.0),
    )
    return conn.with_address(table, "orig", "source")

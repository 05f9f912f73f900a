"""Samples of connections and of sources' five minutes: what models of the usual are fitted on.

Which are in a sample is decided by marks worked out of the records' times, so that the same records
give the same sample in any order, and the samples of two parts of a day make one of the whole
(bottom-k sampling: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from analyzer.baseline.bins import SHAPES, shape_bin
from analyzer.derived import APPLICATIONS
from analyzer.features import DAY, HOUR

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


def reference(records: Records, local: ir.Table) -> ir.Table:
    """A sample of each day's connections of local hosts, those that are alike once.

    Args:
        records: what happened.
        local: ``orig_h resp_h outside`` of the meetings of local hosts, each pair once.
    """
    conn = records.conn
    conn = conn.filter(conn.request)
    keys = {
        "day": (conn.ts / DAY).floor().cast("int32"),
        "hour": ((conn.ts / HOUR).floor().cast("int64") % 24).cast("uint8"),
        "port": conn.tried_p,
        **{metric: shape_bin(conn, metric) for metric in SHAPES},
    }
    alike = conn.group_by("orig_h", "resp_h", "proto", "application", "answered", **keys)
    counted = alike.aggregate(begun=conn.ts.min(), connections=conn.count())
    counted = counted.join(local, ["orig_h", "resp_h"]).drop("resp_h")
    marked = counted.group_by(
        [name for name in counted.columns if name not in ("begun", "connections")]
    ).aggregate(begun=counted.begun.min(), connections=counted.connections.sum().cast("float64"))
    marked = marked.mutate(mark=mark_of(marked.begun, marked.port)).drop("begun")
    named = marked.rename(source="orig_h")
    return smallest(named).mutate(application=lambda t: application_name(t.application))


def windows(records: Records, sources: ir.Table) -> ir.Table:
    """Every five minutes of every local source; :func:`smallest` makes a sample of them.

    Args:
        records: what happened.
        sources: ``orig_h`` of the local hosts.
    """
    conn = records.conn
    conn = conn.filter(conn.request)
    at = (conn.ts / SLOT).floor().cast("int64")
    table = conn.group_by("orig_h", at=at).aggregate(
        connections=conn.count().cast("float64"),
        failed=(~conn.answered).sum().cast("float64"),
        destinations=conn.resp_h.nunique().cast("float64"),
        ports=conn.tried_p.nunique().cast("float64"),
        bytes_out=conn.orig_bytes.cast("float64").sum().fill_null(0.0),
        bytes_in=conn.resp_bytes.cast("float64").sum().fill_null(0.0),
        begun=conn.ts.min(),
    )
    table = table.semi_join(sources, "orig_h")
    in_day = int(DAY / SLOT)
    return (
        table.mutate(
            day=(table["at"] // in_day).cast("int32"),
            slot=(table["at"] % in_day).cast("int16"),
            mark=mark_of(table.begun, table["at"] % in_day),
        )
        .drop("at", "begun")
        .rename(source="orig_h")
    )

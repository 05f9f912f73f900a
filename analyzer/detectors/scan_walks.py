"""Walks over first contacts that go too far: address, port and block scans.

Each host that a source tries for the first time either answers or does not. Most first contacts of
an honest host are answered, most of a scanner's are not, so the likelihood ratio between the two
hypotheses walks up with every failure and down with every answer (Jung, Paxson, Berger and
Balakrishnan, "Fast Portscan Detection Using Sequential Hypothesis Testing", IEEE S&P 2004). The
walk stops at zero going down, so an honest past does not hide a scan (a CUSUM test: Page 1954).

One walk runs over the hosts that a source tried on one port (address scan), one over the ports it
tried on one host (port scan), one over all pairs of both (block scan), each within 24 hours and
within the hour. A contact counts as failed only if no try within the window was answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from analyzer.records import Records

Shape = Literal["address", "port", "block"]

KEYS: dict[Shape, tuple[str, ...]] = {
    "address": ("resp_p",),
    "port": ("resp_h",),
    "block": (),
}
"""What a walk runs over, beside window, source and protocol."""

_MILLION = 1_000_000
# The shorter, the fewer honest sources are walked in vain, and the more slots there are to sort.
_SLOT = 300.0

# Failures per host and per port from which they fill a block, rather than lie about in it.
_DENSITY = 1.5
_OUTSIDE_ONLY = 0.9


@dataclass(frozen=True, slots=True)
class Walk:
    """How a walk goes, in millionths of log10 of the likelihood ratio.

    Whole numbers, so that a walk comes out the same in whatever order a database adds them up.

    Attributes:
        up: how far a failure takes it up.
        down: how far an answer takes it down; negative.
        bound: where it has gone too far.
    """

    up: int
    down: int
    bound: int

    @classmethod
    def of(cls, honest_success: float, scanner_success: float, false_alarm: float) -> Self:
        """From the chances that first contacts are answered, and a bound on honest walks told."""
        up = math.log10((1 - scanner_success) / (1 - honest_success))
        down = math.log10(scanner_success / honest_success)
        steps = (up, down, -math.log10(false_alarm))
        return cls(*(round(step * _MILLION) for step in steps))

    @property
    def least_steps(self) -> int:
        """The fewest failures that can take it to its bound."""
        return math.ceil(self.bound / self.up)

    @property
    def evidence(self) -> float:
        """log10 of the likelihood ratio at its bound."""
        return self.bound / _MILLION


@dataclass(frozen=True, slots=True)
class Scan:
    """One rise of a walk that went too far.

    `failed` and `answered` count distinct targets (hosts, ports or pairs); `hosts` and `ports` are
    those of the failed ones.
    """

    shape: Shape
    source: str
    proto: str
    port: int | None
    destination: str | None
    failed: int
    answered: int
    hosts: int
    ports: int
    evidence: float
    """log10 of the likelihood ratio at the walk's highest point."""
    first: float
    last: float
    connections: int
    local: bool
    dense: bool
    """Whether the failures fill a block: several ports a host and several hosts a port."""
    outside_only: bool
    """Whether nearly all failures are outside."""
    window: int


def first_tries(table: ir.Table, records: Records, walk: Walk) -> ir.Table:
    """Contacts of sources with enough failures, told whether the target is new (`is_first`)."""
    failures = (
        table.filter(~table.answered).group_by("orig_h").aggregate(failed=lambda t: t.count())
    )
    suspects = failures.filter(failures.failed >= walk.least_steps)
    target = ibis.window(group_by=("orig_h", "resp_h", "proto", "resp_p"))
    kept = table.semi_join(suspects, "orig_h")
    tried = kept.mutate(is_first=kept.half_day == kept.half_day.min().over(target))
    return records.keep(tried, "scan_tries")


def walks(tries: ir.Table, shape: Shape, records: Records, walk: Walk) -> list[Scan]:
    """The walks of one shape that reach the bound."""
    about = ("orig_h", "proto", *KEYS[shape])
    suspects = records.keep(_suspects(tries, about, walk), "scan_suspects")
    if not suspects.count().execute():
        return []
    keys = ("window", *about)
    steps = records.keep(_windows(tries.semi_join(suspects, about)), "scan_windows")
    steps = steps.mutate(step=ibis.ifelse(steps.answered, walk.down, walk.up))
    order = ibis.window(
        group_by=keys, order_by=["first", "resp_h", "resp_p"], preceding=None, following=0
    )
    height = steps.mutate(walk=steps.step.sum().over(order))
    height = height.mutate(low=height.walk.min().over(order))
    height = height.mutate(above=height.walk - ibis.least(height.low, 0.0))
    # An episode is what lies between two touches of the floor; it is told up to its peak, so that
    # the honest contacts before and after a scan are no part of it.
    height = height.mutate(episode=(height.above == 0).sum().over(order))
    episodes = ibis.window(group_by=(*keys, "episode"))
    height = height.filter(height.above > 0).mutate(top=lambda t: t.above.max().over(episodes))
    height = height.filter(height.top >= walk.bound)
    height = height.mutate(peak=height.first.min(where=height.above == height.top).over(episodes))
    rise = height.filter(height["first"] <= height.peak)
    told = rise.group_by(*keys, "episode").aggregate(
        evidence=rise.top.max(),
        failed=(~rise.answered).sum(),
        succeeded=rise.answered.sum(),
        hosts=rise.resp_h.nunique(where=~rise.answered),
        ports=rise.resp_p.nunique(where=~rise.answered),
        first=rise["first"].min(),
        last=rise["first"].max(),
        connections=rise.connections.sum().cast("int64"),
        destination=rise.resp_h.min(),
        port=rise.resp_p.min(),
        local_orig=rise.local_orig.any(),
        outside=(~rise.answered & ~rise.is_local).sum(),
    )
    return _as_scans(told.order_by(*keys, "episode").to_pandas(), shape, records)


def _windows(tries: ir.Table) -> ir.Table:
    """Contacts in windows of 24 hours that start every 12, a row per target and window."""
    doubled = tries.mutate(window=tries.half_day).union(tries.mutate(window=tries.half_day - 1))
    # A window must not reach beyond the data, or it would only repeat its neighbour.
    bounds = tries.aggregate(start=tries.half_day.min(), end=tries.half_day.max())
    start, end = bounds.start.as_scalar(), bounds.end.as_scalar()
    inside = doubled.filter(
        (doubled.window >= start) & (doubled.window <= ibis.greatest(start, end - 1))
    )
    return inside.group_by("window", "orig_h", "proto", "resp_p", "resp_h").aggregate(
        first=inside["first"].min(),
        last=inside["last"].max(),
        connections=inside.connections.sum().cast("int64"),
        answered=inside.answered.any(),
        local_orig=inside.local_orig.any(),
        is_local=inside.is_local.any(),
    )


def _suspects(tries: ir.Table, keys: tuple[str, ...], walk: Walk) -> ir.Table:
    """The keys whose walk may reach the bound in some window, found without walking it.

    Within a slot of time the walk is highest if all failures come first, and carries most into the
    next if they come last: with f failures and a answers in a slot, the carry is at most
    max(f, carry + f - a), which a running maximum gives, and the peak at most the carry before it
    plus f. Answers count only where the target is new, since in no window do they count more often.
    Most hosts fail now and then, between many answers, and are done with here.
    """
    failures = tries.filter(~tries.answered).group_by(*keys).aggregate(failed=lambda t: t.count())
    enough = failures.filter(failures.failed >= walk.least_steps)
    slotted = tries.semi_join(enough, keys)
    slot = (slotted["first"] / _SLOT).floor().cast("int64")
    slots = slotted.group_by(*keys, slot=slot).aggregate(
        up=(~slotted.answered).sum().cast("int64") * walk.up,
        down=(slotted.answered & slotted.is_first).sum().cast("int64") * walk.down,
    )
    order = ibis.window(group_by=keys, order_by="slot", preceding=None, following=0)
    slots = slots.mutate(walk=(slots.up + slots.down).sum().over(order).cast("int64"))
    slots = slots.mutate(carry=slots.walk + (slots.up - slots.walk).max().over(order))
    before = ibis.window(group_by=keys, order_by="slot")
    slots = slots.mutate(peak=slots.carry.lag().over(before).fill_null(0) + slots.up)
    return slots.filter(slots.peak >= walk.bound).select(*keys).distinct()


def _as_scans(frame: pd.DataFrame, shape: Shape, records: Records) -> list[Scan]:
    local = records.local.are_local(frame.orig_h, frame.local_orig)
    return [
        Scan(
            shape=shape,
            source=row["orig_h"],
            proto=row["proto"],
            port=row["port"] if shape == "address" else None,
            destination=row["destination"] if shape == "port" else None,
            failed=row["failed"],
            answered=row["succeeded"],
            hosts=row["hosts"],
            ports=row["ports"],
            evidence=row["evidence"] / _MILLION,
            first=row["first"],
            last=row["last"],
            connections=row["connections"],
            local=bool(is_local),
            dense=row["failed"] >= _DENSITY * max(row["hosts"], row["ports"]),
            outside_only=row["outside"] >= _OUTSIDE_ONLY * row["failed"],
            window=row["window"],
        )
        for row, is_local in zip(frame.to_dict("records"), local, strict=True)
    ]

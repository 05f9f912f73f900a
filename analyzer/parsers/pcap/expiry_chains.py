"""Timers that Zeek sets again and again, for many connections at a time.

A timer acts when the first packet of the whole capture comes that is as late as it is due, and is
set again counting from that packet's time. So which packets it acts at depends on when it was first
set, and matters: at each of them Zeek looks whether the connection has been idle for long enough.
Following each timer would cost a step for every connection every few seconds. But all timers that
act at one packet go on in step from then on: they form a *group*, and groups merge (union-find).
What a connection has to know is when its group acted last: had it been idle by then, it is over.

There are three queues of groups, each in order of when they are due, since all in a queue are set
with the same delay: TCP's first timers (5 s), those set again (6 s), and DNS's (10 s).
"""

from __future__ import annotations

import numpy as np

from analyzer.parsers.pcap.batches import Times
from analyzer.parsers.pcap.connection_state import OPEN, QUEUES, Record, Records
from analyzer.parsers.pcap.parts import number, part, wide

TCP_FIRST, TCP_AGAIN, DNS_QUEUE = map(number, range(QUEUES))
"""The queues."""

TCP_SYN_TIMEOUT = 5.0
TCP_SESSION_TIMER = 6.0
DNS_SESSION_TIMEOUT = 10.0
"""Delays in seconds: tcp_SYN_timeout, tcp_session_timer, dns_session_timeout of Zeek's
scripts/base/init-bare.zeek."""

NEVER = np.inf

_TCP_QUEUES, _DNS_QUEUES = number(2), number(1)


@part
def _push(queue: int, group: int, due: float, timers: Records, ledger: Record) -> None:
    capacity = timers.size // QUEUES
    timer = timers[queue * capacity + ledger.tails[queue] % capacity]
    timer.group = group
    timer.due = due
    ledger.tails[queue] += 1
    if due < ledger.next_due:
        ledger.next_due = due


@part
def start_timer(queue: int, due: float, groups: Records, timers: Records, ledger: Record) -> int:
    """Set a timer; there has to be room for one more group.

    Returns:
        The group it is in.
    """
    tail = ledger.tails[queue]
    if tail > ledger.heads[queue]:
        capacity = timers.size // QUEUES
        last = timers[queue * capacity + (tail - 1) % capacity]
        # Not one that has just acted: that was before this timer was set.
        if last.due >= due and groups[last.group].acted == -NEVER:
            return wide(last.group)
    number = ledger.groups
    ledger.groups += 1
    group = groups[number]
    group.parent = number
    group.acted = -NEVER
    _push(queue, number, due, timers, ledger)
    return wide(number)


@part
def _act(
    queues: int, again: int, delay: float, now: float,
    groups: Records, timers: Records, ledger: Record,
) -> None:  # fmt: skip
    """Let the timers act that are due in the last few queues up to the one they go into again."""
    capacity = timers.size // QUEUES
    merged = wide(-1)
    for queue in range(again + 1 - queues, again + 1):
        while ledger.heads[queue] < ledger.tails[queue]:
            timer = timers[queue * capacity + ledger.heads[queue] % capacity]
            if timer.due > now:
                break
            ledger.heads[queue] += 1
            if merged < 0:
                merged = wide(timer.group)
            else:
                groups[timer.group].parent = merged
    if merged >= 0:
        groups[merged].acted = now
        _push(again, merged, now + delay, timers, ledger)


@part
def act(now: float, groups: Records, timers: Records, ledger: Record) -> None:
    """Let all timers act that are due at a packet's time, and set them again."""
    _act(_TCP_QUEUES, TCP_AGAIN, TCP_SESSION_TIMER, now, groups, timers, ledger)
    _act(_DNS_QUEUES, DNS_QUEUE, DNS_SESSION_TIMEOUT, now, groups, timers, ledger)
    capacity = timers.size // QUEUES
    ledger.next_due = NEVER
    for queue in range(QUEUES):
        head = ledger.heads[queue]
        if head < ledger.tails[queue]:
            due = timers[queue * capacity + head % capacity].due
            if due < ledger.next_due:
                ledger.next_due = due


@part
def advance(
    packet_times: Times, until: float, groups: Records, timers: Records, ledger: Record
) -> None:
    """Move the clock on to a time, past the packets up to it; it never goes back."""
    packet = ledger.packet
    earlier = True
    while earlier:
        time = until
        earlier = packet < packet_times.size and (
            packet_times[packet] <= until or packet_times[packet] <= ledger.network_time
        )
        if earlier:
            time = packet_times[packet]
            packet += 1
        if ledger.network_time < time < NEVER:
            ledger.network_time = time
            if time >= ledger.next_due:
                act(time, groups, timers, ledger)
    ledger.packet = packet


@part
def last_acted(group: int, groups: Records) -> float:
    """When the timer of a group acted last; before all time if it never did, or is none (-1)."""
    if group < 0:
        return -NEVER
    while groups[group].parent != group:
        groups[group].parent = groups[groups[group].parent].parent
        group = wide(groups[group].parent)
    acted: float = groups[group].acted
    return acted


def compact(connections: Records, groups: Records, timers: Records, ledger: Records) -> None:
    """Number the groups anew, in place, so that those merged into others are gone.

    Every group that is not merged into another stands in one queue, since timers are always set.
    """
    roots = groups["parent"][: ledger["groups"][0]].copy()
    while not np.array_equal(above := roots[roots], roots):
        roots = above
    places = queued_places(timers, ledger)
    kept = timers["group"][places]
    numbers = np.full(roots.size, -1, np.int32)
    numbers[kept] = np.arange(kept.size, dtype=np.int32)
    groups["acted"][: kept.size] = groups["acted"][kept]
    groups["parent"][: kept.size] = np.arange(kept.size)
    timers["group"][places] = numbers[kept]
    for column in ("expiry_group", "closing_group"):
        members = connections[column]
        used = np.flatnonzero((connections["occupied"] == OPEN) & (members >= 0))
        members[used] = numbers[roots[members[used]]]
    ledger["groups"] = kept.size


def queued_places(timers: Records, ledger: Records) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where in the array of timers those stand that are set, queue by queue."""
    capacity = timers.size // QUEUES
    return np.concatenate(
        [
            queue * capacity + np.arange(head, tail) % capacity
            for queue, (head, tail) in enumerate(
                zip(ledger["heads"][0], ledger["tails"][0], strict=True)
            )
        ]
    )

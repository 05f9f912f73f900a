"""Moves: the first time one machine takes charge of another, and what is odd about it.

What many do is no move: every workstation opens the file server and the domain controller. What is
left is weighed by its target, as nobody administers a workstation from another one, and somebody
administers every server.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analyzer.features import DAY

# Others that use a protocol at a host from which it is a server of it, at least and as a share of
# all that use the protocol.
_FEW_OTHERS, _SHARE_OF_SOURCES = 3, 0.05
# Sources of no more targets than these, or than three times the median, are users: what they
# reach are servers. Who reaches more says nothing about what it reaches.
_FEW_TARGETS, _TIMES_MEDIAN = 5, 3.0
SERVER = 4
"""Clients from which a host counts as a server."""
_OF_SERVER = 0.5
# Three days make a routine, if it began with the data.
_ROUTINE_DAYS = 3


@dataclass(frozen=True, slots=True)
class Moves:
    """Who took charge of whom for the first time.

    Attributes:
        rows: a row per source and destination, by time: ``orig_h resp_h first last days connections
            bytes_out bytes_in``, ``protocols`` (tuple of indexes), ``ports`` (tuple) and
            ``weight``, 1 for a host that is no server and a half for one that is.
        clients: how many clients each local host has, those by administration among them where
            many use it so.
    """

    rows: pd.DataFrame
    clients: dict[str, int]


def moves(sessions: pd.DataFrame, clients: dict[str, int], begin: float) -> Moves:
    """Who took charge of whom for the first time, and how odd that is.

    Args:
        sessions: a row per source, destination and protocol, as
            :func:`analyzer.detectors.administration.sessions` has them.
        clients: how many clients each local host has by other ways.
        begin: when the data begin, UTC epoch seconds.
    """
    users = _others(sessions)
    sources = sessions.groupby("protocol").orig_h.transform("nunique")
    common = users >= np.maximum(_FEW_OTHERS, _SHARE_OF_SOURCES * sources)
    routine = (sessions.days >= _ROUTINE_DAYS) & (sessions["first"] < begin + DAY)
    odd = sessions[~common & ~routine].sort_values(["orig_h", "resp_h", "protocol"])
    pairs = odd.groupby(["orig_h", "resp_h"], sort=True).agg(
        first=("first", "min"),
        last=("last", "max"),
        days=("days", "max"),
        connections=("connections", "sum"),
        bytes_out=("bytes_out", "sum"),
        bytes_in=("bytes_in", "sum"),
        protocols=("protocol", tuple),
        ports=("resp_p", tuple),
    )
    pairs = pairs.reset_index()
    known = dict(clients)
    for host, count in users[common].groupby(sessions.resp_h[common]).max().items():
        known[str(host)] = max(known.get(str(host), 0), int(count))
    serves = pairs.resp_h.map(known).fillna(0) >= SERVER
    pairs["weight"] = np.where(serves, _OF_SERVER, 1.0)
    ordered = pairs.sort_values(["first", "orig_h", "resp_h"], ignore_index=True)
    return Moves(ordered, known)


def _others(sessions: pd.DataFrame) -> pd.Series[int]:
    """For each session how many other users its host has by its protocol."""
    own = sessions.groupby(["orig_h", "protocol"]).resp_h
    targets = own.transform("nunique")
    median = sessions.protocol.map(own.nunique().groupby("protocol").median())
    is_user = targets <= np.maximum(_FEW_TARGETS, _TIMES_MEDIAN * median)
    every = is_user.groupby([sessions.resp_h, sessions.protocol]).transform("sum")
    return every - is_user


@dataclass(frozen=True, slots=True)
class Chain:
    """Moves of which each begins where the one before ended.

    Attributes:
        hosts: the hosts in order.
        times: when each move began.
        weight: the weights of the moves added.
        moves: indexes of the moves.
    """

    hosts: tuple[str, ...]
    times: tuple[float, ...]
    weight: float
    moves: tuple[int, ...]

    def __str__(self) -> str:
        return " > ".join(self.hosts)


def chains(moved: pd.DataFrame, gap: float) -> list[Chain]:
    """The weightiest chain from each host that begins one, of two moves or more.

    A host goes on with a chain if it took charge of nobody before it was itself taken charge of,
    and begins within `gap` seconds of that.

    Args:
        moved: the rows of :func:`moves`.
        gap: the longest time between two moves of a chain, s.
    """
    reached: dict[str, list[int]] = {}
    taken: dict[str, int | None] = {}
    ends: list[Chain] = []
    best: dict[str, Chain] = {}
    rows = zip(moved.orig_h, moved.resp_h, moved["first"], moved.weight, strict=True)
    for index, (source, target, time, weight) in enumerate(rows):
        if source not in taken:
            # Of those that reached it in time, the one with most behind it, the latest of them.
            recent = [k for k in reached.get(source, ()) if 0 < time - ends[k].times[-1] <= gap]
            taken[source] = max(recent, key=lambda k: (ends[k].weight, k), default=None)
        before = taken[source]
        if before is not None and time - ends[before].times[-1] <= gap:
            link = ends[before]
            if target in link.hosts:
                chain = Chain((source, target), (time,), weight, (index,))
            else:
                chain = Chain(
                    (*link.hosts, target),
                    (*link.times, time),
                    link.weight + weight,
                    (*link.moves, index),
                )
        else:
            chain = Chain((source, target), (time,), weight, (index,))
        ends.append(chain)
        reached.setdefault(target, []).append(index)
        longest = best.get(chain.hosts[0])
        if len(chain.times) > 1 and (longest is None or chain.weight > longest.weight):
            best[chain.hosts[0]] = chain
    return list(best.values())

"""The shape of the intervals between events of many series at once: how alike its sleeps are.

A program that sleeps between its calls leaves intervals of one size, give or take its jitter;
people leave intervals that span decades. Everything here is free of scale (a beacon of a minute and
one of six hours look alike) and looks at the distribution of the intervals only: jitter adds up, so
the phase of a beacon is lost after a few sleeps, and with it whatever looks for a frequency.

Events less than :data:`CLUSTER` apart are one contact (retries, parallel connections, request and
answer in two connections), unless the series lives on a faster cadence, where only those less than
:data:`DUPLICATE` apart are. Faster means that, duplicates joined, nine tenths of the intervals are
under :data:`FAST` already. The load of a web page is steady in neither view.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CLUSTER = 5.0
"""Events closer than this (s) are one contact of a beacon that sleeps."""
DUPLICATE = 0.5
"""Events closer than this (s) are one contact of any beacon: TCP's first retry comes after 1 s."""
FAST = 10.0
"""Where most intervals are shorter (s), :data:`CLUSTER` would join different sleeps."""

SHAPE = (
    "count",
    "coverage",
    "low",
    "quartiles",
    "tails",
    "skew",
    "narrowest_third",
    "narrowest_half",
    "narrowest_most",
    "gamma",
    "local_variation",
    "multiples",
)
"""What is measured of a series, in the order of the columns of :func:`shapes`:

- ``count``: log of the number of intervals.
- ``coverage``: median interval times their number, over the whole span, at most 1: the share of the
  time in which it goes on.
- ``low``: 10% quantile over the median.
- ``quartiles``, ``tails``: log of the 75% over the 25%, and of the 90% over the 10% quantile.
- ``skew``: absolute Bowley skewness of the quartiles.
- ``narrowest_third``, ``narrowest_half``, ``narrowest_most``: log width of the narrowest window
  that holds 30%, 50% and 80% of the intervals (the shorth of Andrews et al., "Robust Estimates of
  Location", 1972, on a logarithmic scale), so that lost contacts and idle nights do not decide.
- ``gamma``: log of the mean minus mean of the log of the 5% to 95% quantiles: decreases with the
  shape parameter of a gamma distribution (Minka, "Estimating a Gamma distribution", 2002).
- ``local_variation``: Lv of Shinomoto, Shima and Tanji ("Differences in spiking patterns among
  cortical neurons", Neural Computation 15, 2003): 0 for a clock, 1 for a Poisson process, whatever
  becomes of the rate.
- ``multiples``: share of quantiles within a tenth of 1 to 4 times the median: lost contacts leave
  multiples of the sleep behind.
"""

_MOSTLY = 0.9
_LEVELS = np.arange(0.05, 0.951, 0.05)
# Places in _LEVELS.
_TENTH, _LOWER, _MIDDLE, _UPPER, _NINE_TENTHS = 1, 4, 9, 14, 17
_STEPS = {"narrowest_third": 6, "narrowest_half": 10, "narrowest_most": 16}
_MOST_MULTIPLE = 4.0
_NEAR = 0.1
# Milliseconds of any interval, and of any span of time, fit into so many bits.
_TIME_BITS = 41
_LATEST = 2**_TIME_BITS - 1
_SECOND = 1000
# Events worked on at once, so that they stay in the processor's cache.
_PORTION = 1 << 17


@dataclass(frozen=True, slots=True)
class Shapes:
    """What was measured of each series that has intervals enough.

    Attributes:
        owner: which series it is.
        medians: its median interval, s.
        deviations: half the width of its quartiles, s: the interval is usually that far off.
        counts: how many intervals it has.
        features: a row each, the columns of :data:`SHAPE`.
    """

    owner: Integers
    medians: Floats
    deviations: Floats
    counts: Integers
    features: Floats


def event_keys(owner: Integers, seconds: Floats) -> Integers:
    """Each event as one number, that sorts by series and then by time.

    One sort of whole numbers is several times faster than a sort by two keys.

    Args:
        owner: number of its series, from 0.
        seconds: its time since any origin before all of them, kept to the millisecond.
    """
    keys = np.clip(np.rint(seconds * _SECOND), 0, _LATEST).astype(np.int64)
    keys |= owner.astype(np.int64) << _TIME_BITS
    return keys


def event_owner(keys: Integers) -> Integers:
    """The series of each event."""
    return keys >> _TIME_BITS


def windows(keys: Integers, length: float, *, fewest: int) -> tuple[Integers, Integers, Integers]:
    """Cut series into windows, each of which is a series of its own.

    Args:
        keys: all events, from :func:`event_keys`, sorted.
        length: of a window, s; the first begins at the origin of the times.
        fewest: events below which a window is left out.

    Returns:
        The keys of the events that are left, and for each series in them the series it was cut
        from and the number of its window.
    """
    owner = event_owner(keys)
    window = (keys & _LATEST) // round(length * _SECOND)
    first = np.ones(len(keys), bool)
    first[1:] = (owner[1:] != owner[:-1]) | (window[1:] != window[:-1])
    begin = np.flatnonzero(first)
    counts = np.diff(np.append(begin, len(keys)))
    enough = counts >= fewest
    at = np.repeat(enough, counts)
    number = np.repeat(np.arange(enough.sum()), counts[enough])
    return (
        (number << _TIME_BITS) | (keys[at] & _LATEST),
        owner[begin][enough],
        window[begin][enough],
    )


def shapes(keys: Integers, *, fewest: int) -> Shapes:
    """Measure each series that has at least `fewest` intervals once clusters are joined.

    Args:
        keys: all events, from :func:`event_keys`, sorted.
        fewest: least intervals, at least 2.
    """
    parts = [_measured(part, fewest) for part in _portions(keys)]
    if not parts:
        empty = np.empty(0)
        none = np.empty(0, np.int64)
        return Shapes(none, empty, empty, none, np.empty((0, len(SHAPE))))
    return Shapes(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("owner", "medians", "deviations", "counts", "features")
        )
    )


def _portions(keys: Integers) -> Iterator[Integers]:
    """The events in portions that hold whole series."""
    begin = 0
    while begin < len(keys):
        end = min(begin + _PORTION, len(keys))
        if end < len(keys):
            end = int(np.searchsorted(keys, ((keys[end - 1] >> _TIME_BITS) + 1) << _TIME_BITS))
        yield keys[begin:end]
        begin = end


def _measured(keys: Integers, fewest: int) -> Shapes:
    owner, gaps = _gaps(keys, fewest)
    begin = np.flatnonzero(np.append(True, owner[1:] != owner[:-1])) if len(owner) else owner
    counts = np.diff(np.append(begin, len(owner)))
    number = np.repeat(np.arange(len(begin)), counts)
    ordered = (number << _TIME_BITS) | gaps
    ordered.sort()
    at = begin[:, None] + np.rint(_LEVELS * (counts - 1)[:, None]).astype(np.int64)
    quantiles = (ordered[at] & _LATEST) / _SECOND
    middle = quantiles[:, _MIDDLE]
    span = np.add.reduceat(gaps, begin) / _SECOND if len(begin) else middle
    columns = _columns(quantiles) | {
        "count": np.log(counts),
        "coverage": np.minimum(middle * counts / span, 1.0),
        "local_variation": _local_variation(gaps, begin, counts),
    }
    return Shapes(
        owner[begin],
        middle,
        (quantiles[:, _UPPER] - quantiles[:, _LOWER]) / 2,
        counts,
        np.column_stack([columns[name] for name in SHAPE]),
    )


def _gaps(keys: Integers, fewest: int) -> tuple[Integers, Integers]:
    """Series and milliseconds of every interval of those that have enough, in order."""
    fine = _joined(keys, DUPLICATE)
    owner, gaps = _between(fine)
    of = int(owner[0]) if len(owner) else 0
    every = np.bincount(owner - of)
    quick = np.bincount(owner[gaps < FAST * _SECOND] - of, minlength=len(every))
    fast = quick >= _MOSTLY * every
    if not fast.any():
        owner, gaps = _between(_joined(fine, CLUSTER))
    else:
        at = event_owner(fine) - of
        # What has no interval at all is neither.
        slow = (at >= 0) & (at < len(fast))
        slow[slow] = ~fast[at[slow]]
        coarse_owner, coarse_gaps = _between(_joined(fine[slow], CLUSTER))
        of_fast = fast[owner - of]
        owner = np.concatenate((owner[of_fast], coarse_owner))
        gaps = np.concatenate((gaps[of_fast], coarse_gaps))
        order = np.argsort(owner, kind="stable")
        owner, gaps = owner[order], gaps[order]
    of = int(owner[0]) if len(owner) else 0
    enough = np.bincount(owner - of)[owner - of] >= fewest
    return owner[enough], gaps[enough]


def _joined(keys: Integers, within: float) -> Integers:
    """The first event of each cluster, whose events follow each other within so many seconds."""
    first = np.ones(len(keys), bool)
    first[1:] = np.diff(keys) >= within * _SECOND
    return keys[first]


def _between(keys: Integers) -> tuple[Integers, Integers]:
    """Series and milliseconds of the intervals between neighbours of one series."""
    owner = event_owner(keys)
    same = owner[1:] == owner[:-1]
    return owner[1:][same], np.diff(keys)[same]


def _columns(quantiles: Floats) -> dict[str, Floats]:
    """What the quantiles say."""
    logs = np.log(quantiles)
    middle = quantiles[:, _MIDDLE]
    lower, upper = quantiles[:, _LOWER], quantiles[:, _UPPER]
    relative = quantiles / middle[:, None]
    nearest = np.clip(np.rint(relative), 1.0, _MOST_MULTIPLE)
    return {
        "low": relative[:, _TENTH],
        "quartiles": logs[:, _UPPER] - logs[:, _LOWER],
        "tails": logs[:, _NINE_TENTHS] - logs[:, _TENTH],
        "skew": np.abs(upper + lower - 2 * middle) / np.maximum(upper - lower, 0.02 * middle),
        "gamma": np.log(quantiles.mean(axis=1)) - logs.mean(axis=1),
        "multiples": (np.abs(relative - nearest) <= _NEAR).mean(axis=1),
        **{
            name: (logs[:, step:] - logs[:, :-step]).min(axis=1, initial=np.inf)
            for name, step in _STEPS.items()
        },
    }


def _local_variation(gaps: Integers, begin: Integers, counts: Integers) -> Floats:
    if not len(begin):
        return np.empty(0)
    terms = np.zeros(len(gaps))
    terms[1:] = ((gaps[1:] - gaps[:-1]) / (gaps[1:] + gaps[:-1])) ** 2
    terms[begin] = 0.0
    result: Floats = 3 * np.add.reduceat(terms, begin) / np.maximum(counts - 1, 1)
    return result

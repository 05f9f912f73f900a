"""Other ways of scoring a beacon, written from what is published about them.

RITA 5 (https://github.com/activecm/rita, analysis/beacons.go, weights and limits of its default
configuration): the mean of a timestamp, a data size, a histogram and a duration score. 1 - CV and
1 - MAD/median stand for the plain rules of many tools.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_HOURS = 24
_MODE_SENSITIVITY = 0.05
_LEAST_HOURS, _IDEAL_HOURS, _LEAST_BIMODAL_HOURS = 6, 12, 11
_LEAST_QUARTILES = 10


def _quartiles(values: Floats) -> tuple[float, float, float]:
    """Medians of the halves, the middle one left out, as RITA's statistics library has them."""
    half = len(values) // 2
    lower, upper = values[:half], values[len(values) - half :]
    return float(np.median(lower)), float(np.median(values)), float(np.median(upper))


def _statistical(values: Floats, default: float) -> float:
    """Mean of 1 - |Bowley skewness| and 1 - MAD / median."""
    ordered = np.sort(values)
    low, middle, high = _quartiles(ordered)
    skew = 0.0
    if high - low >= _LEAST_QUARTILES and middle not in {low, high}:
        skew = (low + high - 2 * middle) / (high - low)
    mad = float(np.median(np.abs(ordered - np.median(ordered))))
    spread = max((middle - mad) / middle, 0.0) if middle >= 1 else default
    return (1 - abs(skew) + spread) / 2


def _runs(bars: npt.NDArray[np.int64]) -> int:
    """The longest run of hours with connections, round the clock."""
    longest = current = 0
    for bar in np.concatenate((bars, bars)).tolist():
        current = current + 1 if bar else 0
        longest = max(longest, current)
    return min(longest, len(bars))


def _histogram(bars: npt.NDArray[np.int64]) -> float:
    """The better of 1 - CV of the hours, and the share of hours in the two commonest heights."""
    flat = max(1 - float(bars.std() / bars.mean()), 0.0)
    busy = bars[bars > 0]
    if len(busy) < _LEAST_BIMODAL_HOURS:
        return flat
    size = np.ceil(bars.max() * _MODE_SENSITIVITY)
    _, heights = np.unique(np.floor(busy / size), return_counts=True)
    modes = float(np.sort(heights)[-2:].sum())
    return max(flat, min(modes / max(len(busy) - 1, 1), 1.0))


def rita(ts: Floats, sizes: Floats, *, span: tuple[float, float]) -> float:
    """RITA's beacon score of one pair.

    Args:
        ts: times of its connections, s.
        sizes: bytes of each.
        span: first and last time of the data set, whose 24th parts are RITA's hours.
    """
    whole = np.floor(np.sort(ts))
    gaps = np.diff(whole)
    gaps = gaps[gaps > 0]
    if len(gaps) < 3:  # noqa: PLR2004 - RITA scores no fewer
        return 0.0
    bars, _ = np.histogram(whole, np.linspace(*span, _HOURS + 1))
    duration = 0.0
    if (bars > 0).sum() >= _LEAST_HOURS:
        coverage = (whole[-1] - whole[0]) / (span[1] - span[0])
        duration = max(min(coverage, 1.0), min(_runs(bars) / _IDEAL_HOURS, 1.0))
    parts = (_statistical(gaps, 1.0), _statistical(sizes, 0.0), _histogram(bars), duration)
    return sum(parts) / len(parts)


def variation(ts: Floats) -> float:
    """1 - the coefficient of variation of the intervals."""
    gaps = np.diff(ts)
    return 1 - float(gaps.std() / gaps.mean())


def deviation(ts: Floats) -> float:
    """1 - the median absolute deviation of the intervals over their median."""
    gaps = np.diff(ts)
    middle = float(np.median(gaps))
    return 1 - float(np.median(np.abs(gaps - middle))) / max(middle, 1e-9)

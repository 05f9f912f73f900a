"""What a host's days reach, in several measures, beside the highest days learned of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.baseline.highs import Highs
from analyzer.baseline.roles import roles
from analyzer.detectors.comparison import Comparison

NO_HOUR = -1
"""The hour of what is counted by the day."""

# A probability of 1 has no logarithm of its complement.
_NEARLY_SURE = 1 - 1e-12


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is counted of a host.

    Attributes:
        name: what it is called.
        meaning: the same in words, for evidence.
        floor: least value that is worth a look.
        unit: ``B``, or empty for counts.
    """

    name: str
    meaning: str
    floor: float
    unit: str = ""


def hourly(hours: pd.DataFrame, value: npt.ArrayLike) -> pd.DataFrame:
    """The hour of each source's day in which a value was highest: ``source day hour value``.

    Args:
        hours: rows of a baseline's ``hours``.
        value: the value of each row.
    """
    rows = hours[["source", "day", "hour"]].assign(value=np.asarray(value, float))
    rows = rows.sort_values(["source", "day", "value", "hour"], ascending=[True, True, False, True])
    return rows.groupby(["source", "day"], as_index=False).head(1).reset_index(drop=True)


def daily(hours: pd.DataFrame, counted: pd.DataFrame) -> pd.DataFrame:
    """A count of each day on which a source was seen, 0 where there is none.

    Args:
        hours: rows of a baseline's ``hours``.
        counted: ``source day value``.
    """
    seen = hours[["source", "day"]].drop_duplicates()
    rows = seen.merge(counted, on=["source", "day"], how="left")
    return rows.assign(value=rows.value.fillna(0.0), hour=NO_HOUR)


def beyond(
    comparison: Comparison,
    measures: Sequence[Measure],
    judged: Mapping[str, pd.DataFrame],
    learned: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Days of hosts that reach more than the highest learned of them.

    Args:
        comparison: what is compared with what.
        measures: what is looked at, by whose number chances are corrected.
        judged: for each measure ``source day hour value``, a row a source and day to judge.
        learned: the same of the days learned.

    Returns:
        ``source day hour measure value reference chance days``, a row for each measure of a day
        that is at its floor or above and has a chance below 1.
    """
    role = roles(comparison.baseline)
    found = []
    for measure in measures:
        rows = judged[measure.name]
        rows = rows[rows.value >= measure.floor]
        if rows.empty:
            continue
        judgement = Highs(learned[measure.name], role).judge(rows)
        rows = rows.assign(
            measure=measure.name,
            reference=judgement.reference,
            chance=corrected(judgement.chance, len(measures)),
            days=judgement.days,
        )
        found.append(rows[judgement.chance < 1.0])
    columns = ["source", "day", "hour", "measure", "value", "reference", "chance", "days"]
    every = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
    return every[columns]


def corrected(chance: npt.ArrayLike, looks: int) -> npt.NDArray[np.float64]:
    """The chance that the least of several is so small.

    Šidák, "Rectangular confidence regions for the means of multivariate normal distributions",
    JASA 62, 1967: an upper bound if they depend on each other as measures of one thing do.
    """
    each = np.minimum(np.asarray(chance, float), _NEARLY_SURE)
    result: npt.NDArray[np.float64] = -np.expm1(looks * np.log1p(-each))
    return result

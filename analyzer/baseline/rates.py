"""How often what was learned would have been an alert: realised beside asked for.

Before a day joins a baseline, its sample is scored by the baseline as it was. What of it would have
been reported should be the share that was asked for; far more says that the network has changed or
that the threshold does not hold, far less that little would be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analyzer.baseline.calibration import REPORTED
from analyzer.baseline.scoring import Of, Scoring, TooLittleLearnedError, scorer
from analyzer.baseline.tables import LAYOUTS

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline
    from analyzer.baseline.summary import Summary

ASKED = 1e-3
"""Share asked for. A sample of a day has some hundred rows: a smaller share could not be seen."""

_SAMPLES: dict[str, tuple[Of, str]] = {
    "connection": ("connections", "reference"),
    "window": ("windows", "windows"),
}


def rates_of(baseline: Baseline, summary: Summary) -> pd.DataFrame:
    """What of new days would have been an alert.

    Only samples are looked at, so it costs the seconds that models take to be fitted. Days that the
    baseline has already are left out: they would be judged by themselves.

    Args:
        baseline: as it was before.
        summary: of the records to learn, see :func:`analyzer.baseline.summary.summarise`.

    Returns:
        Rows of the table ``rates``; none where too little was learned to score by.
    """
    rows = []
    for name, (of, table) in _SAMPLES.items():
        sample = summary.get(table)
        if sample is None:
            continue
        new = sample[~sample.day.isin(baseline.days)]
        if not len(new):
            continue
        try:
            prepared = scorer(baseline, Scoring(of=of, rate=ASKED))
        except TooLittleLearnedError:
            continue
        loud = prepared.score(new).score >= REPORTED
        days = new.day.to_numpy()
        rows += [
            {
                "score": name,
                "day": int(day),
                "tested": float((days == day).sum()),
                "alerts": float(loud[days == day].sum()),
                "asked": ASKED,
            }
            for day in np.unique(days)
        ]
    layout = LAYOUTS["rates"]
    frame = pd.DataFrame(rows, columns=layout.schema.names) if rows else layout.empty()
    return frame.astype(dict(layout.empty().dtypes.items()))

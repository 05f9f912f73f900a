"""A baseline in use beside a sensor: scores batches at once, and keeps them to be learned.

What is asked of a baseline is prepared once; scoring a batch is then look-ups in arrays. Learning
sums records up by the day, which is not worth it for a single connection: batches are kept, and
become part of the baseline when it is asked for. Until then they change no score, as a flood would
otherwise be usual after its first seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from analyzer.baseline.batches import Batch, batch_records, connection_columns, connection_rows
from analyzer.baseline.calibration import REPORTED
from analyzer.baseline.factors import Factor, connection_factors
from analyzer.baseline.scoring import Scores, Scoring, scorer
from analyzer.baseline.summary import summarise
from analyzer.networks import LocalNetworks
from analyzer.public_suffix import suffix_rules

if TYPE_CHECKING:
    from analyzer.baseline.baseline import Baseline

# Connections that are scored without a data frame, and without being cut into parts.
_FEW = 4096


class Online:
    """A baseline that scores and learns batch by batch.

    Args:
        baseline: what was learned so far.
        scoring: how to score connections.
        local: tells local addresses from outside ones; private space is local by default.

    Raises:
        TooLittleLearnedError: it holds less than two days, or next to no connections.
    """

    def __init__(
        self,
        baseline: Baseline,
        scoring: Scoring | None = None,
        local: LocalNetworks | None = None,
    ) -> None:
        self._baseline = baseline
        self._local = local or LocalNetworks()
        self.scorer = scorer(baseline, scoring or Scoring())
        self._conn: list[pd.DataFrame] = []
        self._dns: list[pd.DataFrame] = []

    def rows(self, batch: Batch) -> pd.DataFrame:
        """The connections of a batch that are scored, see :func:`connection_rows`."""
        return connection_rows(batch, self._local)

    def score(self, batch: Batch) -> Scores:
        """Scores of :meth:`rows` of a batch: the requests of local hosts, in their order.

        Args:
            batch: connections with the columns of :data:`analyzer.records.CONN`.
        """
        if len(batch) > _FEW:
            return self.scorer.score(self.rows(batch))
        return self.scorer.score_columns(connection_columns(batch, self._local)[1])

    def factors(self, batch: Batch, scores: Scores, place: int) -> list[Factor]:
        """What drove the score of one of :meth:`rows`, in words."""
        row = self.rows(batch).iloc[place]
        return connection_factors(self.scorer.known, row, scores.chances[place])

    def learn(
        self, conn: Batch | None = None, dns: Batch | None = None, *, protect: bool = True
    ) -> None:
        """Keep a batch to be learned.

        Args:
            conn: connections.
            dns: DNS transactions.
            protect: leave out the connections that would be reported.
        """
        if conn is not None and len(conn):
            frame = _frame(conn)
            if protect:
                rows = self.rows(frame)
                loud = self.scorer.score(rows).score >= REPORTED
                frame = frame.drop(frame.index[rows.index.to_numpy()[loud]])
            self._conn.append(frame)
        if dns is not None and len(dns):
            self._dns.append(_frame(dns))

    def baseline(self, *, learned: float | None = None) -> Baseline:
        """The baseline with all batches learned; scores stay those of the one before.

        Args:
            learned: when, UTC epoch seconds.
        """
        if self._conn or self._dns:
            self._baseline = learn(
                self._baseline, _joined(self._conn), _joined(self._dns), self._local, learned
            )
            self._conn, self._dns = [], []
        return self._baseline


def learn(
    baseline: Baseline,
    conn: Batch | None,
    dns: Batch | None = None,
    local: LocalNetworks | None = None,
    learned: float | None = None,
) -> Baseline:
    """A baseline with batches of records joined.

    Args:
        baseline: what was learned so far.
        conn: connections.
        dns: DNS transactions.
        local: tells local addresses from outside ones; private space is local by default.
        learned: when, UTC epoch seconds.
    """
    records = batch_records(conn, dns, local)
    held = records.keep(suffix_rules(), "suffix_rules")
    return baseline.joined(summarise(records, lambda: held), learned=learned)


def _frame(batch: Batch) -> pd.DataFrame:
    frame: pd.DataFrame = batch.to_pandas() if isinstance(batch, pa.Table) else batch
    return frame.reset_index(drop=True)


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame | None:
    return pd.concat(frames, ignore_index=True) if frames else None

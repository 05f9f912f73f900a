"""Engines whose work another thread may end: nobody waits for it once the service stops."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import duckdb

from analyzer.engine import Engine
from analyzer.watch.judging import InterruptedJudgementError


class Interruption:
    """Ends what is being computed, now and ever after."""

    def __init__(self) -> None:
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._is_stopped = False

    def interrupt(self) -> None:
        """Have what is being computed end as soon as possible; nothing is computed after this."""
        self._is_stopped = True
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(duckdb.Error):
                connection.interrupt()

    def go_on(self, _: str = "") -> None:
        """See whether there is anybody waiting; takes a stage's name and does not ask for it.

        Raises:
            InterruptedJudgementError: there is not.
        """
        if self._is_stopped:
            raise InterruptedJudgementError

    @contextlib.contextmanager
    def engine(self, *, memory_limit: str, threads: int | None) -> Iterator[Engine]:
        """An engine that works until :meth:`interrupt`.

        Raises:
            InterruptedJudgementError: that was called.
            ResourceError: there is no room for it.
        """
        self.go_on()
        with Engine(memory_limit=memory_limit, threads=threads) as engine:
            self._connection = engine.connection
            try:
                self.go_on()
                yield engine
            except (duckdb.InterruptException, RuntimeError):
                # DuckDB makes either of an interruption, Ibis may wrap it.
                self.go_on()
                raise
            finally:
                self._connection = None

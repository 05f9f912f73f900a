"""From findings to notices: each once, whatever happens between judging and the disk.

What is news is put into the state's outbox in the transaction that remembers it as said. Then it is
appended to the log, and then it leaves the outbox. After a crash the outbox holds what may or may
not have been appended; the log's own journal (:mod:`analyzer.writers.journal`) knows which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from analyzer.findings import SUPPRESS_FOR, Finding
from analyzer.watch.memory import Memory
from analyzer.watch.state import State
from analyzer.watch.stored import finding_of, finding_text
from analyzer.writers.appending import AppendingLog


def notice_key(finding: Finding) -> str:
    """What tells a notice from all others: an episode is said again when it is louder."""
    return f"{finding.identifier} {finding.severity}"


class Speaker:
    """Says what is news.

    Args:
        state: where it is remembered.
        logs: where it is said, in each; their key is :func:`notice_key`.
        span: seconds after which what goes on is news again.
        kept: seconds back that anything is judged, if that is longer.

    Attributes:
        said: notices since the start, by rule and severity.
        unreadable: findings that another version meant to write and this one cannot read.
    """

    def __init__(
        self, state: State, logs: Sequence[AppendingLog], span: float, *, kept: float = 0.0
    ) -> None:
        self._state = state
        self._logs = tuple(logs)
        self._kept = max(span, kept) + span
        self._memory = Memory(state.episodes(), span)
        # Of the outbox, what is in each log though the state could not be told.
        self._sent: list[set[int]] = [set() for _ in self._logs]
        self.unreadable = 0
        written = [log.written for log in self._logs]
        for number, text in state.outbox():
            try:
                key = notice_key(finding_of(text))
            except ValueError:
                self.unreadable += 1
                key = None
            for keys, sent in zip(written, self._sent, strict=True):
                if key is None or key in keys:
                    sent.add(number)
        self.said: Counter[tuple[str, str]] = Counter()

    @property
    def episodes(self) -> int:
        """How much is remembered."""
        return len(self._memory)

    def say(self, findings: Sequence[Finding], *, also: Sequence[Finding] = ()) -> int:
        """Say what of the findings is news, as soon as the disk takes it.

        Args:
            findings: what was found.
            also: what there is besides, if not all was looked for.

        Returns:
            How many are.

        Raises:
            OutputError: it cannot be kept, or not be written yet (:meth:`flush` tries again).
        """
        ordered = sorted(findings, key=lambda finding: (finding.last, finding.sort_key))
        news, episodes = self._memory.news(ordered, also)
        if episodes:
            with self._state.transaction():
                self._state.keep_episodes(episodes)
                self._state.put_out([finding_text(finding) for finding in news])
            self._memory.remember(episodes)
        for finding in news:
            self.said[finding.rule, str(finding.severity)] += 1
        self.flush()
        return len(news)

    def flush(self) -> None:
        """Write what is to be written.

        Raises:
            OutputError: it cannot be.
        """
        waiting = self._state.outbox()
        if not waiting:
            return
        for log, sent in zip(self._logs, self._sent, strict=True):
            new = [(number, text) for number, text in waiting if number not in sent]
            log.append([finding_of(text) for _, text in new])
            sent.update(number for number, _ in new)
        with self._state.transaction():
            self._state.sent(number for number, _ in waiting)
        for sent in self._sent:
            sent.clear()

    def forget(self, clock: float) -> None:
        """Forget what ended so long ago that it cannot be found any more.

        Args:
            clock: the end of the last connection, UTC epoch seconds.

        Raises:
            OutputError: it cannot be kept.
        """
        over = self._memory.over(clock - self._kept - SUPPRESS_FOR)
        if over:
            with self._state.transaction():
                self._state.drop_episodes(episode.number for episode in over)
            self._memory.forget(over)

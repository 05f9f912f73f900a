"""What was said already, and what of a finding is therefore news.

A window is judged again and again, and a finding in it grows: later times, more connections,
another score. It is the same *episode* as one that was said if it is about the same things and the
two lie no more than Zeek's ``Notice::suppress_for`` apart, as the pipeline joins repeats within one
run. Of an episode, news is

- that it exists;
- that it is louder than it was ever said, by a whole severity;
- that it still goes on a window after it was last said, as it would be said again in the
  next day's run over a day's logs. This is a new episode, which begins where the last was said.

An episode keeps the beginning that it was first said with, so that its identifier stays while its
first connections leave the window.

A finding about a name behind several addresses names one of them, and not always the same. So it is
also an episode about the same name (:attr:`analyzer.findings.Finding.alias`) of which nothing is
found any more under its own address.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache

from analyzer.findings import SUPPRESS_FOR, Finding
from analyzer.watch.state import Episode


class Memory:
    """What was said.

    Args:
        episodes: from before.
        span: seconds after which what goes on is news again.
    """

    def __init__(self, episodes: Iterable[Episode], span: float) -> None:
        self._span = span
        self._episodes: dict[int, Episode] = {}
        # Numbers of episodes by what they are about, and by its alias.
        self._about: dict[str, set[int]] = defaultdict(set)
        self._last = 0
        self.remember(episodes)

    def __len__(self) -> int:
        return len(self._episodes)

    def news(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Episode]]:
        """What of findings is to be said, and what is to be remembered for that.

        Nothing is remembered yet, see :meth:`remember`.

        Returns:
            The findings to say, with the beginnings of their episodes, in the order given; and the
            episodes that are new or have changed.
        """
        said: list[Finding] = []
        changed: dict[int, Episode] = {}
        last = self._last
        findings = list(findings)
        present = {_keys(_text(finding))[0] for finding in findings}
        for finding in findings:
            episode = self._episode(finding, changed, present)
            severity = int(finding.severity)
            if episode is not None and finding.last >= episode.said + self._span:
                # It goes on: what is said anew begins where it was left.
                finding = replace(finding, first=max(finding.first, episode.said))  # noqa: PLW2901
                changed[episode.number] = replace(episode, last=max(episode.last, episode.said))
                episode = None
            if episode is None:
                last += 1
                said.append(finding)
                changed[last] = Episode(
                    last, _text(finding), finding.first, finding.last, severity, finding.last
                )
                continue
            grown = replace(episode, entities=_text(finding), last=max(episode.last, finding.last))
            if severity > episode.severity:
                first = min(episode.first, finding.last)
                said.append(replace(finding, first=first))
                grown = replace(grown, severity=severity, said=finding.last)
            if grown != episode:
                changed[episode.number] = grown
        return said, list(changed.values())

    def remember(self, episodes: Iterable[Episode]) -> None:
        """Take it that this is kept now."""
        for episode in episodes:
            self._drop(episode.number)
            self._episodes[episode.number] = episode
            for key in _keys(episode.entities):
                self._about[key].add(episode.number)
            self._last = max(self._last, episode.number)

    def over(self, before: float) -> list[Episode]:
        """Episodes that ended before a time, UTC epoch seconds."""
        return [episode for episode in self._episodes.values() if episode.last < before]

    def forget(self, episodes: Iterable[Episode]) -> None:
        """Forget episodes."""
        for episode in episodes:
            self._drop(episode.number)

    def _episode(
        self, finding: Finding, changed: dict[int, Episode], present: Collection[str]
    ) -> Episode | None:
        """The latest episode that a finding is, as it stands by now.

        Args:
            finding: the finding.
            changed: episodes that stand otherwise by now.
            present: what is found now; an episode about that is of no finding but its own.
        """
        entities, *alias = _keys(_text(finding))
        same = self._same(finding, changed, entities)
        for key in [] if same else alias:
            found = self._same(finding, changed, key)
            same = [each for each in found if _keys(each.entities)[0] not in present]
        return max(same, key=lambda each: (each.last, each.number), default=None)

    def _same(self, finding: Finding, changed: dict[int, Episode], key: str) -> list[Episode]:
        """Episodes about something that are close enough in time to a finding."""
        known = {number: self._episodes[number] for number in self._about.get(key, ())}
        known |= changed
        return [
            each
            for each in known.values()
            if key in _keys(each.entities)
            and finding.first <= each.last + SUPPRESS_FOR
            and each.first <= finding.last + SUPPRESS_FOR
        ]

    def _drop(self, number: int) -> None:
        episode = self._episodes.pop(number, None)
        if episode is None:
            return
        for key in _keys(episode.entities):
            self._about[key].discard(number)
            if not self._about[key]:
                del self._about[key]


def _text(finding: Finding) -> str:
    """What a finding is about, as an episode keeps it."""
    if finding.alias is None:
        return json.dumps(finding.entities)
    return json.dumps([finding.entities, finding.alias])


@lru_cache(maxsize=1 << 16)
def _keys(text: str) -> tuple[str, ...]:
    """What an episode is about, and its alias if it has one."""
    about = json.loads(text)
    # Without an alias, and before there were any, there are the entities alone.
    every = about if isinstance(about[0], list) else [about]
    return tuple(json.dumps(each) for each in every)

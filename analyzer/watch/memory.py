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
found any more under its own address, and is that of one finding at once. It stays about what it was
said to be about, as that may be found again beside the other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
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

    def news(
        self, findings: Iterable[Finding], also: Iterable[Finding] = ()
    ) -> tuple[list[Finding], list[Episode]]:
        """What of findings is to be said, and what is to be remembered for that.

        Nothing is remembered yet, see :meth:`remember`.

        Args:
            findings: what was found.
            also: what there is besides, if not all was looked for.

        Returns:
            The findings to say, with the beginnings of their episodes, in the order given; and the
            episodes that are new or have changed.
        """
        said: list[Finding] = []
        standing = _Standing(self._episodes, self._about)
        last = self._last
        findings = list(findings)
        present = {_keys(_text(finding))[0] for finding in (*findings, *also)}
        for finding in findings:
            episode = standing.episode(finding, present)
            severity = int(finding.severity)
            if episode is not None and finding.last >= episode.said + self._span:
                # It goes on: what is said anew begins where it was left.
                finding = replace(finding, first=max(finding.first, episode.said))  # noqa: PLW2901
                end = max(episode.last, episode.said)
                standing.put(replace(episode, entities=_text(finding), last=end))
                episode = None
            if episode is None:
                last += 1
                said.append(finding)
                standing.put(
                    Episode(
                        last, _text(finding), finding.first, finding.last, severity, finding.last
                    )
                )
                continue
            grown = replace(episode, last=max(episode.last, finding.last))
            if _is_about(episode, finding) or severity > episode.severity:
                # It is about what it was last said to be about.
                grown = replace(grown, entities=_text(finding))
            if severity > episode.severity:
                first = min(episode.first, finding.last)
                said.append(replace(finding, first=first))
                grown = replace(grown, severity=severity, said=finding.last)
            if grown != episode:
                standing.put(grown)
        return said, list(standing.changed.values())

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

    def _drop(self, number: int) -> None:
        episode = self._episodes.pop(number, None)
        if episode is None:
            return
        for key in _keys(episode.entities):
            self._about[key].discard(number)
            if not self._about[key]:
                del self._about[key]


class _Standing:
    """Episodes as they stand while news is told from what was said.

    Args:
        episodes: by number.
        about: their numbers by what they are about, and by its alias.

    Attributes:
        changed: those that are new or stand otherwise by now, by number.
    """

    def __init__(
        self, episodes: Mapping[int, Episode], about: Mapping[str, Collection[int]]
    ) -> None:
        self._episodes = episodes
        self._about = about
        self._about_changed: dict[str, set[int]] = defaultdict(set)
        # By number, what episodes are about now that were known by the alias alone.
        self._taken: dict[int, str] = {}
        self.changed: dict[int, Episode] = {}

    def put(self, episode: Episode) -> None:
        """An episode is new, or stands otherwise."""
        self.changed[episode.number] = episode
        for key in _keys(episode.entities):
            self._about_changed[key].add(episode.number)

    def episode(self, finding: Finding, present: Collection[str]) -> Episode | None:
        """The latest episode that a finding is.

        Args:
            finding: the finding.
            present: what is found now; an episode about that is of no finding but its own.
        """
        entities, *alias = _keys(_text(finding))
        same = self._same(finding, entities)
        if same or not alias:
            return _latest(same)
        found = _latest(
            each
            for each in self._same(finding, alias[0])
            if _keys(each.entities)[0] not in present
            # Nor is it of two that are found at once.
            and self._taken.get(each.number, entities) == entities
        )
        if found is not None:
            self._taken[found.number] = entities
        return found

    def _same(self, finding: Finding, key: str) -> list[Episode]:
        """Episodes about something that are close enough in time to a finding."""
        numbers = {*self._about.get(key, ()), *self._about_changed.get(key, ())}
        every = (self.changed.get(each) or self._episodes[each] for each in numbers)
        return [
            each
            for each in every
            if key in _keys(each.entities)
            and finding.first <= each.last + SUPPRESS_FOR
            and each.first <= finding.last + SUPPRESS_FOR
        ]


def _latest(episodes: Iterable[Episode]) -> Episode | None:
    return max(episodes, key=lambda each: (each.last, each.number), default=None)


def _is_about(episode: Episode, finding: Finding) -> bool:
    return _keys(episode.entities)[0] == _keys(_text(finding))[0]


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

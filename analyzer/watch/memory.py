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
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

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
        self._episodes: dict[str, list[Episode]] = defaultdict(list)
        self._last = 0
        for episode in episodes:
            self._keep(episode)
            self._last = max(self._last, episode.number)

    def __len__(self) -> int:
        return sum(map(len, self._episodes.values()))

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
        for finding in findings:
            episode = self._episode(finding, changed)
            severity = int(finding.severity)
            if episode is not None and finding.last >= episode.said + self._span:
                # It goes on: what is said anew begins where it was left.
                finding = replace(finding, first=max(finding.first, episode.said))  # noqa: PLW2901
                changed[episode.number] = replace(episode, last=max(episode.last, episode.said))
                episode = None
            if episode is None:
                last += 1
                said.append(finding)
                entities = json.dumps(finding.entities)
                changed[last] = Episode(
                    last, entities, finding.first, finding.last, severity, finding.last
                )
                continue
            grown = replace(episode, last=max(episode.last, finding.last))
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
            self._drop(episode)
            self._keep(episode)
            self._last = max(self._last, episode.number)

    def over(self, before: float) -> list[Episode]:
        """Episodes that ended before a time, UTC epoch seconds."""
        every = (each for episodes in self._episodes.values() for each in episodes)
        return [episode for episode in every if episode.last < before]

    def forget(self, episodes: Iterable[Episode]) -> None:
        """Forget episodes."""
        for episode in episodes:
            self._drop(episode)

    def _episode(self, finding: Finding, changed: dict[int, Episode]) -> Episode | None:
        """The latest episode that a finding is, as it stands by now."""
        entities = json.dumps(finding.entities)
        known = {each.number: each for each in self._episodes.get(entities, ())}
        known |= {each.number: each for each in changed.values() if each.entities == entities}
        same = [
            each
            for each in known.values()
            if finding.first <= each.last + SUPPRESS_FOR
            and each.first <= finding.last + SUPPRESS_FOR
        ]
        return max(same, key=lambda each: (each.last, each.number), default=None)

    def _keep(self, episode: Episode) -> None:
        self._episodes[episode.entities].append(episode)

    def _drop(self, episode: Episode) -> None:
        others = [e for e in self._episodes[episode.entities] if e.number != episode.number]
        if others:
            self._episodes[episode.entities] = others
        else:
            del self._episodes[episode.entities]

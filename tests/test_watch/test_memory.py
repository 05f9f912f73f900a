"""What is news, and what has been said."""

from __future__ import annotations

import json
from dataclasses import replace

from analyzer.findings import Finding
from analyzer.watch.memory import Memory
from analyzer.watch.state import Episode

HOUR = 3600.0
DAY = 24 * HOUR


def finding(
    first: float,
    last: float,
    score: float = 0.85,
    *,
    source: str = "10.0.0.1",
    destination: str | None = None,
    subject: str = "",
    names: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        rule="beacon",
        destination=destination,
        subject=subject,
        server_names=names,
        note="ZeekAnalyzer::Beacon",
        source=source,
        first=first,
        last=last,
        score=score,
        techniques=(),
        message="",
    )


def say(memory: Memory, *findings: Finding) -> list[Finding]:
    said, episodes = memory.news(findings)
    memory.remember(episodes)
    return said


def test_the_same_is_said_once() -> None:
    memory = Memory([], DAY)
    first = finding(0, 100)
    assert say(memory, first) == [first]
    assert say(memory, first) == []
    assert say(memory, finding(0, 5000, 0.86)) == []
    assert len(memory) == 1


def test_others_are_said() -> None:
    memory = Memory([], DAY)
    both = [finding(0, 100), finding(0, 100, source="10.0.0.2")]
    assert say(memory, *both) == both


def test_a_louder_one_is_said_again_with_its_beginning() -> None:
    memory = Memory([], DAY)
    say(memory, finding(0, 100, 0.85))
    assert say(memory, finding(50, 200, 0.91)) == [finding(0, 200, 0.91)]
    assert say(memory, finding(50, 200, 0.94)) == []
    assert say(memory, finding(50, 200, 0.82)) == []
    assert say(memory, finding(50, 300, 0.96)) == [finding(0, 300, 0.96)]


def test_what_begins_anew_is_said_anew() -> None:
    memory = Memory([], DAY)
    say(memory, finding(0, 100))
    assert say(memory, finding(100 + HOUR, 8000)) == []
    later = finding(8001 + HOUR, 8002 + HOUR)
    assert say(memory, later) == [later]
    assert len(memory) == 2


def test_what_slides_keeps_its_episode() -> None:
    memory = Memory([], DAY)
    say(memory, finding(0, 100))
    for step in range(1, 20):
        assert say(memory, finding(step * 1000, step * 1000 + 100)) == []
    assert len(memory) == 1


def test_what_goes_on_is_said_a_window_later() -> None:
    memory = Memory([], DAY)
    say(memory, finding(0, 100))
    assert say(memory, finding(0, DAY)) == []
    (again,) = say(memory, finding(0, DAY + 100))
    assert again == finding(100, DAY + 100)
    assert again.identifier == finding(100, DAY + 100).identifier
    assert say(memory, finding(0, DAY + 200)) == []
    assert say(memory, finding(0, DAY + 200, 0.99)) == [finding(100, DAY + 200, 0.99)]


def test_both_episodes_of_one_judgement() -> None:
    memory = Memory([], DAY)
    both = [finding(0, 100), finding(20_000, 20_100)]
    assert say(memory, *both) == both
    assert say(memory, *both) == []
    assert say(memory, *both[::-1]) == []


def test_nothing_is_remembered_before_it_is_kept() -> None:
    memory = Memory([], DAY)
    memory.news([finding(0, 100)])
    assert say(memory, finding(0, 100)) == [finding(0, 100)]


def test_a_restart_remembers() -> None:
    memory = Memory([], DAY)
    _, episodes = memory.news([finding(0, 100), finding(0, 100, source="10.0.0.2")])
    again = Memory(episodes, DAY)
    assert again.news([finding(0, 100)]) == ([], [])
    said, new = again.news([finding(0, 100, source="10.0.0.3")])
    assert [episode.number for episode in new] == [3]
    assert len(said) == 1


def test_what_is_over_is_forgotten() -> None:
    memory = Memory([], DAY)
    say(memory, finding(0, 100), finding(0, 500, source="10.0.0.2"))
    over = memory.over(200)
    assert [episode.last for episode in over] == [100]
    memory.forget(over)
    assert len(memory) == 1
    assert say(memory, finding(0, 100)) == [finding(0, 100)]


def test_only_changes_are_to_be_kept() -> None:
    memory = Memory([], DAY)
    _, episodes = memory.news([finding(0, 100)])
    memory.remember(episodes)
    said, changed = memory.news([replace(finding(0, 100), score=0.81)])
    assert (said, changed) == ([], [])
    _, changed = memory.news([finding(0, 101)])
    assert [episode.last for episode in changed] == [101]


def test_one_name_behind_several_addresses_is_one_thing() -> None:
    memory = Memory([], DAY)
    one = finding(0, 100, destination="192.0.2.1", names=("c2.example",))
    other = finding(0, 200, destination="192.0.2.2", subject="c2.example")
    assert say(memory, one) == [one]
    # From now on it is known by the name, and it is told under whatever address.
    assert say(memory, other) == []
    assert say(memory, replace(one, last=300.0)) == []
    assert say(memory, replace(other, score=0.91)) == [replace(other, score=0.91)]
    assert len(memory) == 1


def test_addresses_that_are_found_beside_each_other_are_two_things() -> None:
    memory = Memory([], DAY)
    one = finding(0, 100, destination="192.0.2.1", names=("c2.example",))
    other = finding(0, 100, destination="192.0.2.2", names=("c2.example",))
    third = finding(0, 100, destination="192.0.2.3", names=("c2.example",))
    assert say(memory, one) == [one]
    assert say(memory, one, other) == [other]
    assert say(memory, one, other) == []
    # One of the two is found under a third address: which of them does not matter.
    assert say(memory, one, third) == []
    assert say(memory, one, other, third) == [third]
    assert len(memory) == 3


def test_who_calls_the_other_side_by_several_names_or_none_has_no_alias() -> None:
    memory = Memory([], DAY)
    for names in ((), ("a.example", "b.example")):
        one = finding(0, 100, destination=f"192.0.2.{len(names)}", names=names)
        other = replace(one, destination=f"192.0.2.{len(names) + 100}")
        assert say(memory, one) == [one]
        assert say(memory, other) == [other]


def test_episodes_of_earlier_versions_are_known() -> None:
    one = finding(0, 100, destination="192.0.2.1", subject="c2.example")
    memory = Memory(
        [Episode(7, json.dumps(one.entities), 0.0, 100.0, int(one.severity), 100.0)], DAY
    )
    assert say(memory, one) == []
    # Known by its name from now on.
    assert say(memory, replace(one, destination="192.0.2.2", last=200.0)) == []
    memory.forget(memory.over(1e9))
    assert len(memory) == 0


def named(address: str, first: float = 0, last: float = 100, score: float = 0.85) -> Finding:
    return finding(first, last, score, destination=address, names=("c2.example",))


def test_what_was_said_is_not_said_again_once_another_is_found_beside_it() -> None:
    memory = Memory([], DAY)
    one, other = named("192.0.2.1"), named("192.0.2.2")
    assert say(memory, one) == [one]
    assert say(memory, other) == []
    assert say(memory, one, other) == [other]
    assert say(memory, other, one) == []


def test_of_two_that_are_called_the_same_one_at_most_is_what_was_said() -> None:
    memory = Memory([], DAY)
    one, other, third = (named(f"192.0.2.{number}") for number in (1, 2, 3))
    assert say(memory, one) == [one]
    assert say(memory, other, third) == [third]
    assert say(memory, third, other) == []


def test_what_goes_on_under_another_address_is_said_once_a_day() -> None:
    memory = Memory([], DAY)
    say(memory, named("192.0.2.1"))
    anew = named("192.0.2.2", HOUR, DAY + 200)
    assert say(memory, anew) == [anew]
    assert say(memory, named("192.0.2.1", HOUR, DAY + 800)) == []
    assert say(memory, named("192.0.2.2", HOUR, DAY + 1200)) == []


def test_what_is_there_besides_is_not_what_is_found() -> None:
    memory = Memory([], DAY)
    one, other = named("192.0.2.1"), named("192.0.2.2", score=0.93)
    assert say(memory, one) == [one]
    said, episodes = memory.news([other], also=[one])
    memory.remember(episodes)
    assert said == [other]
    assert say(memory, one, other) == []

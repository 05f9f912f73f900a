"""Each notice once, whatever happens between judging and the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.findings import Finding
from analyzer.watch.speaking import Speaker, notice_key
from analyzer.watch.state import State
from analyzer.writers.appending import AppendingLog

from .sensor import notices
from .test_memory import DAY, finding

FIRST, SECOND = finding(0, 100), finding(0, 90, source="10.0.0.2")


@contextmanager
def speaking(at: Path) -> Iterator[Speaker]:
    with (
        State(at / "state") as state,
        AppendingLog(at / "out", key=notice_key) as log,
        AppendingLog(at / "out", format="findings", key=notice_key) as other,
    ):
        yield Speaker(state, [log, other], DAY)


def sources(at: Path) -> list[str]:
    """Of the notices, which are those of the findings beside them."""
    found = [row["src"] for row in notices(at / "out")]
    lines = (at / "out" / "findings.jsonl").read_text().splitlines()
    assert [json.loads(line)["source"] for line in lines] == found
    return found


class KilledError(BaseException):
    """The process ends here."""


def test_what_is_news_is_written_in_order_of_time(tmp_path: Path) -> None:
    with speaking(tmp_path) as speaker:
        assert speaker.say([FIRST, SECOND]) == 2
        assert speaker.say([FIRST, SECOND]) == 0
        assert sources(tmp_path) == ["10.0.0.2", "10.0.0.1"]
        assert speaker.said == {("beacon", "medium"): 2}
        assert speaker.episodes == 2


def test_a_restart_says_nothing_again(tmp_path: Path) -> None:
    with speaking(tmp_path) as speaker:
        speaker.say([FIRST])
    with speaking(tmp_path) as speaker:
        assert speaker.say([FIRST, SECOND]) == 1
    assert sources(tmp_path) == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize("louder", [False, True])
@pytest.mark.parametrize(
    ("where", "name"),
    [
        (State, "keep_episodes"),
        (State, "put_out"),
        (AppendingLog, "append"),
        (State, "sent"),
    ],
)
def test_killed_before_any_step(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    name: str,
    louder: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    def die(*_: object) -> None:
        raise KilledError

    said = [FIRST, SECOND]
    if louder:
        with speaking(tmp_path) as speaker:
            speaker.say(said)
        said = [replace(each, score=0.96) for each in said]
    with speaking(tmp_path) as speaker, monkeypatch.context() as patched:
        patched.setattr(where, name, die)
        with pytest.raises(KilledError):
            speaker.say(said)
    with speaking(tmp_path) as speaker:
        speaker.flush()
        speaker.say(said)
        speaker.flush()
    assert sorted(sources(tmp_path)) == sorted(["10.0.0.1", "10.0.0.2"] * (2 if louder else 1))


def test_a_disk_that_is_full_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OutputError("disk full")

    with speaking(tmp_path) as speaker:
        with monkeypatch.context() as patched:
            patched.setattr(AppendingLog, "append", refuse)
            with pytest.raises(OutputError):
                speaker.say([FIRST])
            with pytest.raises(OutputError):
                speaker.say([FIRST, SECOND])
        speaker.flush()
        speaker.flush()
    assert sources(tmp_path) == ["10.0.0.1", "10.0.0.2"]


def test_a_state_that_is_full_after_the_notice_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OutputError("disk full")

    with speaking(tmp_path) as speaker:
        with monkeypatch.context() as patched:
            patched.setattr(State, "sent", refuse)
            with pytest.raises(OutputError):
                speaker.say([FIRST])
            with pytest.raises(OutputError):
                speaker.say([SECOND])
        speaker.flush()
    assert sources(tmp_path) == ["10.0.0.1", "10.0.0.2"]


def test_what_another_version_meant_to_write(tmp_path: Path) -> None:
    with State(tmp_path / "state") as state, state.transaction():
        state.put_out(["{}"])
    with speaking(tmp_path) as speaker:
        assert speaker.unreadable == 1
        speaker.say([FIRST])
    assert sources(tmp_path) == ["10.0.0.1"]
    with speaking(tmp_path) as speaker:
        assert speaker.unreadable == 0


def test_what_is_long_over_is_forgotten(tmp_path: Path) -> None:
    with speaking(tmp_path) as speaker:
        speaker.say([FIRST])
        speaker.forget(2 * DAY)
        assert speaker.episodes == 1
        speaker.forget(3 * DAY)
        assert speaker.episodes == 0
    with speaking(tmp_path) as speaker:
        assert speaker.episodes == 0


def test_what_a_week_may_find_again_is_remembered(tmp_path: Path) -> None:
    with State(tmp_path / "state") as state:
        speaker = Speaker(state, (), DAY, kept=7 * DAY)
        speaker.say([FIRST])
        speaker.forget(8 * DAY)
        assert speaker.episodes == 1
        speaker.forget(9 * DAY)
        assert speaker.episodes == 0


def test_killed_between_two_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = AppendingLog.append

    def die(log: AppendingLog, findings: Sequence[Finding]) -> None:
        if log.path.name == "findings.jsonl":
            raise KilledError
        append(log, findings)

    with speaking(tmp_path) as speaker, monkeypatch.context() as patched:
        patched.setattr(AppendingLog, "append", die)
        with pytest.raises(KilledError):
            speaker.say([FIRST, SECOND])
    with speaking(tmp_path) as speaker:
        speaker.say([FIRST, SECOND])
        speaker.flush()
    assert sources(tmp_path) == ["10.0.0.2", "10.0.0.1"]

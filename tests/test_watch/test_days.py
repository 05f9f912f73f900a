"""When the days before the window are judged, and a whole week of that, with crashes in between."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import OutputError
from analyzer.features import DAY, HOUR
from analyzer.watch.days import AGAIN, Days
from analyzer.watch.former import PAST
from analyzer.watch.judging import Judgement
from analyzer.watch.options import Options
from analyzer.watch.past import Past, past_of
from analyzer.watch.segments import Segments
from analyzer.watch.service import Service
from analyzer.watch.slow import Rows, SlowJudgement
from analyzer.watch.state import Segment, State
from benchmarks.watch import Watch

from .sensor import key, notices
from .test_service import run

MONDAY = 1_767_571_200.0
FIELDS = (
    *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration"),
    *("orig_bytes", "resp_bytes", "conn_state", "history", "orig_pkts", "resp_pkts"),
)


def line(number: int, ts: float, source: str, destination: str, port: int) -> str:
    values = (
        *(f"{ts:.6f}", f"C{number}", source, 40_000 + number % 20_000, destination, port, "tcp"),
        *(0.5, 700 + number % 5, 420, "SF", "ShADadfF", 6, 6),
    )
    return "\t".join(map(str, values)) + "\n"


def days() -> list[str]:
    """The conn.log of each day of a week: people's visits, and a call every six hours or so."""
    chance = random.Random(5)  # noqa: S311 - traffic, not secrets
    moments: list[tuple[float, str, str, int]] = []
    at = MONDAY + HOUR
    while at < MONDAY + 7 * DAY:
        moments.append((at, "10.0.0.7", "203.0.113.9", 8443))
        at += 6 * HOUR * chance.uniform(0.8, 1.2)
    for host in range(20):
        for _ in range(300):
            ts = MONDAY + chance.randrange(7) * DAY + chance.uniform(8, 18) * HOUR
            moments.append((ts, f"10.0.0.{host + 1}", f"198.51.100.{chance.randrange(60)}", 443))
    text = ["#separator \\x09\n#path\tconn\n#fields\t" + "\t".join(FIELDS) + "\n"] * 7
    for number, (ts, *rest) in enumerate(sorted(moments)):
        text[int((ts - MONDAY) // DAY)] += line(number, ts, *rest)  # type: ignore[arg-type]
    return text


def of_beacon(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in rows if row["note"] == "ZeekAnalyzer::Beacon"]


def have_judged(number: int) -> Callable[[Service], bool]:
    """Whether all of a day was judged, and with what was kept of the days before."""

    def is_done(service: Service) -> bool:
        window = service._intake.window
        return (
            (window.last or 0.0) >= MONDAY + number * DAY + 12 * HOUR
            and all(segment.judged for segment in window.segments)
            and (number == 0 or service._work.days._past.judged == window.last)
        )

    return is_done


def test_a_week_with_crashes(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    options = Options(
        tops=(logs,),
        out=tmp_path / "out",
        state=tmp_path / "out" / ".state",
        start="beginning",
        interval=1.0,
        select=["beacon"],
    )
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    watch = Watch(logs, options.out, "--interval", "1s", "--select", "beacon")
    for number, text in enumerate(days()):
        (logs / f"conn.{number}.log").write_text(text)
        if number in (2, 4):
            watch.start()
            time.sleep(chance.uniform(1.0, 8.0))
            watch.end(signal.SIGKILL)
        _, said = run(options, have_judged(number))
        assert said == []
        options = replace(options, start="stopped")
    report = analyzer.analyze(logs, select_rules=["beacon"])
    (beacon,) = (f for f in report.findings if f.source == "10.0.0.7")
    found = of_beacon(notices(options.out))
    assert {(row["src"], row["dst"], row["p"]) for row in found} == {
        ("10.0.0.7", "203.0.113.9", "8443")
    }
    assert float(found[-1]["score"]) == pytest.approx(beacon.score, abs=1e-6)
    # On the third day there are calls enough; from then on it is said once a day.
    assert 3 <= len(found) <= 6
    assert set(Counter((*key(row), row["severity"], row["msg"]) for row in found).values()) == {1}
    with State(options.state) as state:
        past = past_of(state.fact(PAST))
    assert past is not None
    assert past.counts["calls"] < 6_000
    assert len(list((options.state / "past").iterdir())) == 3
    assert past.size < 300_000


class Window:
    """Stands for a window with connections that ended at some times."""

    def __init__(self, *ends: float) -> None:
        self.segments = tuple(Segment(2, {"conn": 1}, end, end, 1) for end in ends)


class StillIntake:
    """Stands for what leaves the window."""

    def __init__(self, left: list[Segment], *window: float) -> None:
        self.left, self.summed = left, list[Segment]()
        self.former = self
        self.window = Window(*window)
        self.kept: list[Past] = []
        self.fails = False

    def have_summed(self, past: Past, _: object, last: float) -> None:
        assert last == self.window.segments[-1].last
        if self.fails:
            raise OutputError("disk full")
        self.kept.append(past)

    def let_go(self, last: float) -> int:
        assert last == self.window.segments[-1].last
        return 5


@pytest.fixture
def opened(tmp_path: Path) -> tuple[Days, StillIntake, list[str]]:
    said: list[str] = []
    options = Options(tops=(tmp_path,), out=tmp_path, state=tmp_path / "state")
    intake = StillIntake([Segment(1, {"conn": 1}, 1.0, 2.0, 1)], 100_000.0)
    segments = Segments(tmp_path / "window", memory_limit="100MB", threads=1)
    with State(tmp_path / "state") as state:
        days = Days(options, state, segments, intake, said.append)  # type: ignore[arg-type]
    segments.close()
    return days, intake, said


def judged(past: Past, seconds: float = 1.0) -> SlowJudgement:
    return SlowJudgement(Judgement((), {}, seconds, 0), past, Rows((), (), ()))


def test_once_an_hour_and_little_of_the_time(
    opened: tuple[Days, StillIntake, list[str]],
) -> None:
    days, intake, said = opened
    assert days.is_due(1000.0)
    assert days.is_overdue(1000.0)
    days.keep(judged(Past(number=1, judged=100_000.0), seconds=2.0), 1000.0)
    assert [past.number for past in intake.kept] == [1]
    assert not days.is_due(2000.0)
    intake.window = Window(103_600.0)
    # Two seconds of work are a twentieth of forty.
    assert not days.is_due(1037.0)
    assert days.is_due(1038.0)
    assert not days.is_overdue(2000.0)
    intake.window = Window(100_000.0 + 12 * HOUR)
    assert days.is_overdue(1001.0)
    assert said == []
    assert days.figures() == {
        "slow_judgements": 1,
        "slow_judging": 2.0,
        "past_calls": 0,
        "past_contacts": 0,
        "past_names": 0,
        "past_size": 0,
        "past_dropped": 0,
    }


def test_what_fails_is_tried_again(opened: tuple[Days, StillIntake, list[str]]) -> None:
    days, intake, said = opened
    intake.fails = True
    with pytest.raises(OutputError):
        days.keep(judged(Past(number=1, judged=100_000.0)), 1000.0)
    days.fail(1000.0)
    assert said == ["5 rows that left the window are not kept for slow beacons"]
    assert not days.is_due(1000.0 + AGAIN - 1)
    assert not days.is_overdue(1000.0 + AGAIN - 1)
    assert days.is_due(1000.0 + AGAIN)
    assert days.is_overdue(1000.0 + AGAIN)


def test_no_room_is_said_once(opened: tuple[Days, StillIntake, list[str]]) -> None:
    days, _, said = opened
    for dropped in (0, 7, 8):
        days.keep(judged(Past(number=1, judged=1.0, dropped=dropped)), 0.0)
    assert [each.partition(":")[0] for each in said] == [
        "there is no room for 7 rows of the days before"
    ]


@pytest.mark.parametrize(
    "text", ["{}", '{"layout": 0}', Past(number=3, counts={"calls": 1}).text()]
)
def test_what_cannot_be_used_is_gathered_anew(tmp_path: Path, text: str) -> None:
    said: list[str] = []
    options = Options(tops=(tmp_path,), out=tmp_path, state=tmp_path / "state")
    segments = Segments(tmp_path / "window", memory_limit="100MB", threads=1)
    with State(tmp_path / "state") as state:
        state.set_fact(PAST, text)
        intake = StillIntake([])
        days = Days(options, state, segments, intake, said.append)  # type: ignore[arg-type]
    segments.close()
    assert said == ["what was kept of the days before cannot be used; it is gathered anew"]
    assert days.figures()["past_size"] == 0

"""The loop as a whole: beside a sensor, killed, stopped, told to read again."""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import analyzer
from analyzer.baseline.anonymise import Key
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import read_baseline, write_baseline
from analyzer.errors import BaselineError, OutputError
from analyzer.features import DAY
from analyzer.watch.intake import Intake
from analyzer.watch.options import Options
from analyzer.watch.schedule import Schedule
from analyzer.watch.service import Service
from analyzer.writers import write_notices
from benchmarks.watch import Watch, rows_taken, settle

from .sensor import Sensor, key, loudest, notices


def run(
    options: Options, until: Callable[[Service], bool], *, seconds: float = 120.0
) -> tuple[Service, list[str]]:
    """Run a service until a condition holds, and stop it."""
    said: list[str] = []
    service = Service(options, complain=said.append)

    def watch() -> None:
        end = time.time() + seconds
        while time.time() < end and not until(service):
            time.sleep(0.05)
        service.stop()

    thread = threading.Thread(target=watch)
    thread.start()
    service.run()
    thread.join()
    assert service.close()
    return service, said


def judged(times: int) -> Callable[[Service], bool]:
    return lambda service: service._work._counts["judgements"] >= times


def learned(service: Service) -> bool:
    baseline = service._work.known.baseline
    return baseline is not None and bool(baseline.days)


def test_it_says_what_a_batch_run_says(options: Options, morning: Path, batch: Path) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    _, said = run(options, judged(1))
    assert loudest(notices(options.out)) == loudest(notices(batch))
    assert len(notices(options.out)) == len(notices(batch))
    assert said == []
    # And nothing of it again, whatever day it is.
    run(replace(options, start="stopped"), lambda service: not service._is_first)
    assert len(notices(options.out)) == len(notices(batch))


def test_open_connections_count_as_in_a_batch_run(
    options: Options, morning: Path, tmp_path: Path
) -> None:
    logs = options.tops[0]
    shutil.copytree(morning, logs, dirs_exist_ok=True)
    lines = (logs / "conn.log").read_text().splitlines(keepends=True)
    head = [line for line in lines if line.startswith("#") and not line.startswith("#close")]
    rows = [line for line in lines if not line.startswith("#")]
    # A third has not ended, another third was seen before it ended.
    (logs / "conn.log").write_text("".join([*head, *rows[::3], *rows[1::3]]))
    (logs / "open_conn.log").write_text("".join([*head, *rows[2::3], *rows[1::3]]))
    report = analyzer.analyze(logs)
    assert report.records["conn"] == len(rows)
    write_notices(report.findings, tmp_path / "batch.log", written=0.0)
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch.log").rename(tmp_path / "batch" / "notice.log")
    _, said = run(options, judged(1))
    assert said == []
    expected = loudest(notices(tmp_path / "batch"))
    assert loudest(notices(options.out)) == expected
    assert len(expected) > 3


def test_what_was_not_judged_is_judged_after_a_restart(
    options: Options, morning: Path, batch: Path
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    run(options, lambda service: service._intake.window.rows > 0)
    assert notices(options.out) == []
    run(replace(options, start="stopped"), judged(1))
    assert loudest(notices(options.out)) == loudest(notices(batch))


@pytest.mark.parametrize("form", ["tsv", "json"])
def test_killed_at_any_moment_beside_a_sensor(
    tmp_path: Path, morning: Path, batch: Path, form: str
) -> None:
    out = tmp_path / "out"
    sensor = Sensor(morning, tmp_path / "zeek", speed=2700.0, rotate=1800.0, form=form)
    watch = Watch(tmp_path / "zeek", out, "--interval", "1s", "--start", "stopped")
    chance = random.Random(3)  # noqa: S311 - moments, not secrets
    sensor.start()
    for _ in range(3):
        watch.start()
        time.sleep(chance.uniform(0.5, 3.0))
        watch.end(signal.SIGKILL)
    watch.start()
    sensor.wait()
    settle(out, len(sensor.rows), 120)
    time.sleep(2)
    seconds, status = watch.end(signal.SIGTERM)
    assert status == 0
    assert seconds < 10
    assert rows_taken(out) == Counter(row.log for row in sensor.rows)
    found, expected = loudest(notices(out)), loudest(notices(batch))
    assert found.keys() >= expected.keys()
    twice = Counter((*key(row), row["severity"]) for row in notices(out))
    assert set(twice.values()) == {1}


def test_the_fast_rules_help_out(
    options: Options, morning: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    monkeypatch.setattr(Schedule, "is_hopeless", True)
    service, _ = run(options, lambda service: service._work._counts["fast_judgements"] > 0)
    assert service._work._fast_seconds > 0
    assert {row["src"] for row in notices(options.out)} >= {"10.20.1.8", "10.20.1.10", "10.20.1.12"}


def test_allowlists_are_read_again(options: Options, morning: Path, tmp_path: Path) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    allow = tmp_path / "allow"
    allow.write_text("10.0.0.0/8\n")
    other = "192.0.2.1\n"

    def reread(service: Service) -> bool:
        if service._work._counts["judgements"] == 1 and allow.read_text() != other:
            assert notices(options.out) == []
            allow.write_text(other)
            service.reread()
        return service._work._counts["judgements"] >= 2

    run(replace(options, allow=[str(allow)], select=["port_scan"]), reread)
    assert [row["src"] for row in notices(options.out)] == ["10.20.1.12"]


def test_it_says_what_it_does(options: Options, morning: Path, tmp_path: Path) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    baseline = tmp_path / "baseline"
    told: list[str] = []
    service = Service(replace(options, baseline=baseline), complain=told.append, inform=told.append)
    service._take_in()
    service._reread()
    service.close()
    files = len(list(options.tops[0].iterdir()))
    assert told == [
        f"{baseline}: not there yet; it is begun an hour after midnight (UTC)",
        (
            f"following {options.tops[0]} ({files} files there), judging every 1 s; "
            f"notices go to {options.out}"
        ),
        f"read again: {len(service._work.known.rules)} rules, 0 allowed entries, 0 indicators",
    ]


def test_a_wrong_allowlist_changes_nothing(options: Options, tmp_path: Path) -> None:
    allow = tmp_path / "allow"
    allow.write_text("10.0.0.1\n")

    def reread(service: Service) -> bool:
        if allow.read_text() != "what is this\n":
            allow.write_text("what is this\n")
            service.reread()
        return service._complaints.count > 0

    service, said = run(replace(options, allow=[str(allow)]), reread)
    assert len(service._work.known.allowlist.entries) == 1
    assert len(said) == 1
    assert said[0].startswith(f"what is reread: {allow}:1: ")


def test_a_full_disk_is_waited_out(
    options: Options, morning: Path, batch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    step, tries = Intake.step, iter(range(3))

    def refuse(*given: object) -> object:
        if next(tries, None) is not None:
            raise OutputError("disk full")
        return step(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "step", refuse)
    service, said = run(options, judged(1))
    assert said == ["logs: disk full (will be tried again)"]
    assert service._complaints.count == 3
    assert loudest(notices(options.out)) == loudest(notices(batch))


def test_a_full_window_is_judged_before_more_comes(
    options: Options, morning: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    monkeypatch.setattr("analyzer.watch.intake.ROUND", 1)
    step = Intake.step
    full: list[bool] = []

    def watched(intake: Intake, now: float) -> int | None:
        full.append(intake.window.must_be_judged)
        return step(intake, now)

    monkeypatch.setattr(Intake, "step", watched)
    run(replace(options, most=1000, interval=1000.0), lambda _: len(full) > 1)
    assert full[:2] == [False, False]


def test_who_is_always_written_to_is_not_always_read(
    options: Options, morning: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sensor that writes all the time gets a look now and then, not all of a core."""
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    log = options.tops[0] / "conn.log"
    line = log.read_text().splitlines(keepends=True)[-2]
    steps = 0
    step = Intake.step

    def written(intake: Intake, now: float) -> int | None:
        nonlocal steps
        steps += 1
        with log.open("a") as file:
            file.write(line)
        return step(intake, now)

    monkeypatch.setattr(Intake, "step", written)
    service = Service(replace(options, interval=1000.0), complain=lambda _: None)
    try:
        for turns in range(1, 4):
            service._take_in()
            assert (steps, service._has_more) == (turns, False)
    finally:
        service.close()


def test_days_are_learned_as_they_complete(options: Options, morning: Path, tmp_path: Path) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    first = (morning / "conn.log").read_text().splitlines()[8].split("\t")
    row = [f"{float(first[0]) // DAY * DAY + DAY + 7200:.6f}", *first[1:]]
    with (options.tops[0] / "conn.log").open("a") as file:
        file.write("\t".join(row) + "\n")
    baseline = tmp_path / "baseline"
    run(replace(options, baseline=baseline), learned)
    assert read_baseline(baseline).days == [int(float(first[0]) // DAY)]
    before = baseline.read_bytes()
    service, _ = run(
        replace(options, baseline=baseline, start="stopped"),
        lambda service: not service._is_first,
    )
    assert service._work.known.baseline is not None
    assert baseline.read_bytes() == before


def test_a_baseline_of_keyed_hashes_is_learned_on(
    options: Options, morning: Path, tmp_path: Path
) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    first = (morning / "conn.log").read_text().splitlines()[8].split("\t")
    row = [f"{float(first[0]) // DAY * DAY + DAY + 7200:.6f}", *first[1:]]
    with (options.tops[0] / "conn.log").open("a") as file:
        file.write("\t".join(row) + "\n")
    baseline, key = tmp_path / "baseline", Key(b"0123456789abcdef")
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    write_baseline(Baseline(key_check=key.check), baseline)
    keyed = replace(options, baseline=baseline, key_file=tmp_path / "key")
    with pytest.raises(BaselineError, match="expected --key-file"):
        Service(replace(keyed, key_file=None), complain=print)
    _, said = run(keyed, learned)
    assert said == []
    known = read_baseline(baseline)
    assert known.days == [int(float(first[0]) // DAY)]
    assert known.key_check == key.check
    sources = set(known["hours"].source)
    assert key.address("10.20.1.10") in sources
    assert "10.20.1.10" not in sources
    # And judged with from then on.
    later = replace(keyed, start="stopped")
    _, said = run(later, lambda service: not service._is_first)
    assert said == []


def test_it_reports_on_itself(options: Options, morning: Path) -> None:
    shutil.copytree(morning, options.tops[0], dirs_exist_ok=True)
    with (options.tops[0] / "conn.log").open("a") as file:
        file.write("nonsense\n")
    _, said = run(options, lambda service: service._next_row > 0 and judged(1)(service))
    log = (options.out / "analyzer_stats.log").read_text()
    assert log.startswith("#separator \\x09\n")
    values = dict(
        line.split() for line in (options.out / "zeek_analyzer.prom").read_text().splitlines()
        if not line.startswith("#")
    )  # fmt: skip
    rows = len([x for x in (morning / "conn.log").read_text().splitlines() if x[0] != "#"])
    assert values["zeek_analyzer_rows_conn_total"] == str(rows)
    assert values["zeek_analyzer_lines_skipped_total"] == "1"
    assert len(said) == 1
    # Below the header and behind its end.
    assert f"conn.log:{rows + 10}: " in said[0]


def test_two_do_not_write_to_one_place(options: Options) -> None:
    service = Service(options, complain=print)
    with pytest.raises(OutputError, match="another zeek-analyzer is writing it"):
        Service(options, complain=print)
    with pytest.raises(OutputError, match="another zeek-analyzer is writing it"):
        Service(replace(options, out=options.out.with_name("out2")), complain=print)
    assert service.close()
    Service(options, complain=print).close()


def test_zeeks_own_directory_is_refused(options: Options, morning: Path) -> None:
    other = options.out.with_name("another")
    shutil.copytree(morning, other)
    live = other / "conn.log"
    live.write_text(live.read_text().partition("#close")[0])
    with pytest.raises(OutputError, match="Zeek"):
        Service(replace(options, out=other), complain=print)

"""Learning as a whole: incremental, rolling, idempotent, protected, and under a key."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer import Learned
from analyzer.baseline.anonymise import Key
from analyzer.baseline.baseline import Baseline
from analyzer.baseline.file import read_baseline
from analyzer.errors import BaselineError, EmptyInputError, InputError, OptionError
from tests.test_baseline import assert_same
from tests.traffic import MONDAY, Attack, office

DAY = 86400.0
FIRST = int(MONDAY // DAY)
HOSTS = 17
NOTHING = {"conn": 0, "dns": 0}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short days of a small office, each in a directory of its own."""
    directory = tmp_path_factory.mktemp("days")
    for day in range(3):
        traffic = office(day + 1, hosts=HOSTS, days=0.4, start=MONDAY + day * DAY)
        # What ends after midnight is none of this test's.
        traffic.write(directory / str(day))
    return directory


@pytest.fixture(scope="module")
def at_once(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    return learned(logs, tmp_path_factory.mktemp("at-once") / "baseline")


def learned(paths: Any, file: Path, **options: Any) -> Learned:  # noqa: ANN401 - as learn has them
    return analyzer.learn(paths, file, **{"protected": False, **options})


def test_what_was_learned(at_once: Learned, logs: Path) -> None:
    report = analyzer.analyze(logs, select_rules=["dns_transfer"])
    assert at_once.changed
    assert at_once.records == report.records
    assert at_once.days == (FIRST, FIRST + 1, FIRST + 2)
    assert (at_once.known, at_once.partly, at_once.flagged) == (NOTHING, NOTHING, {})
    assert 10 < at_once.hosts < 40
    read = read_baseline(at_once.path)
    assert_same(read, at_once.baseline)
    assert read.window == 30
    assert read.learned == pytest.approx(time.time(), abs=600)
    days = read["days"]
    assert list(days.day) == [FIRST, FIRST + 1, FIRST + 2]
    assert days.connections.sum() == report.records["conn"]
    assert days.questions.sum() == report.records["dns"]
    assert days["first"].iloc[0] == report.first


def test_the_same_again_changes_nothing(at_once: Learned, logs: Path) -> None:
    before = at_once.path.read_bytes()
    for paths in (logs, logs / "1", sorted(logs.rglob("dns.log"))):
        again = learned(paths, at_once.path)
        assert not again.changed
        assert again.records == NOTHING
        assert sum(again.known.values()) > 0
        assert again.partly == NOTHING
    assert at_once.path.read_bytes() == before


def test_a_day_at_a_time_gives_what_all_at_once_gives(
    at_once: Learned, logs: Path, tmp_path: Path
) -> None:
    for day in range(3):
        one = learned(logs / str(day), tmp_path / "baseline")
        assert one.days == (FIRST + day,)
    baseline = read_baseline(tmp_path / "baseline")
    # How the later days look to the earlier ones is known only if these are learned first.
    tables = {**baseline.tables, "rates": at_once.baseline["rates"]}
    assert_same(replace(baseline, tables=tables), at_once.baseline)


def test_a_log_at_a_time(at_once: Learned, logs: Path, tmp_path: Path) -> None:
    for log in ("dns", "conn"):
        learned(sorted(logs.rglob(f"{log}.log")), tmp_path / "baseline")
    baseline = read_baseline(tmp_path / "baseline")
    for name in ("days", "network", "hours", "lookups", "pieces"):
        assert baseline[name].equals(at_once.baseline[name]), name


def test_other_formats_are_the_same_log(at_once: Learned, tmp_path: Path) -> None:
    traffic = office(1, hosts=HOSTS, days=0.4, start=MONDAY)
    traffic.write(tmp_path / "logs", format="json", compression="gz")
    again = learned(tmp_path / "logs", at_once.path)
    assert (again.changed, again.records) == (False, NOTHING)


def test_days_leave_the_window(at_once: Learned, logs: Path, tmp_path: Path) -> None:
    file = tmp_path / "baseline"
    shutil.copy(at_once.path, file)
    rolled = learned(logs / "2", file, window=2)
    assert (rolled.changed, rolled.gone, rolled.records) == (True, (FIRST,), NOTHING)
    held = read_baseline(file)
    assert (held.window, held.days) == (2, [FIRST + 1, FIRST + 2])
    assert held["pieces"].hour.min() >= (FIRST + 1) * 24
    assert held["peers"].last_day.min() > FIRST
    again = learned(logs, file)
    assert not again.changed
    assert sum(again.outdated.values()) > 0
    assert read_baseline(file).window == 2


def test_what_is_still_to_come_is_left_out(tmp_path: Path) -> None:
    start = (time.time() // DAY + 40) * DAY
    office(1, hosts=HOSTS, days=0.2, start=start).write(tmp_path / "logs")
    said = learned(tmp_path / "logs", tmp_path / "baseline")
    assert said.records == NOTHING
    assert sum(said.ahead.values()) > 0
    assert read_baseline(tmp_path / "baseline").days == []


def test_a_part_of_the_time(logs: Path, tmp_path: Path) -> None:
    noon = MONDAY + 2 * 3600.0
    early = learned(logs / "0", tmp_path / "baseline", end=noon)
    late = learned(logs / "0", tmp_path / "baseline", begin=noon)
    assert late.known == NOTHING
    whole = learned(logs / "0", tmp_path / "other")
    for log, count in whole.records.items():
        assert early.records[log] + late.records[log] == count
    hours = read_baseline(tmp_path / "baseline")["hours"]
    assert hours.connections.sum() == whole.baseline["hours"].connections.sum()


def test_what_is_wrong_is_not_learned(tmp_path: Path) -> None:
    attacks = [
        Attack("address_scan", source="10.20.1.11"),
        Attack("dns_tunnel", source="10.20.1.12"),
    ]
    traffic = office(4, hosts=HOSTS, days=0.3, attacks=attacks)
    traffic.write(tmp_path / "logs")
    said = analyzer.learn(tmp_path / "logs", tmp_path / "baseline")
    assert said.findings >= 2
    assert said.flagged["conn"] > 200
    assert said.flagged["dns"] > 200
    baseline = read_baseline(tmp_path / "baseline")
    left_out = baseline["days"].left_out.sum()
    assert left_out == sum(said.flagged.values())
    clean = office(4, hosts=HOSTS, days=0.3)
    clean.write(tmp_path / "clean")
    usual = learned(tmp_path / "clean", tmp_path / "usual").baseline
    unprotected = learned(tmp_path / "logs", tmp_path / "all").baseline

    def met(which: Baseline) -> int:
        return int((which["peers"].source == "10.20.1.11").sum())

    assert met(unprotected) > met(usual) + 100
    assert met(baseline) <= met(usual)
    queries = [each["lookups"].queries.sum() for each in (unprotected, usual, baseline)]
    assert queries[0] > queries[1] + 200
    assert queries[2] == pytest.approx(queries[1], rel=0.05)
    again = analyzer.learn(tmp_path / "logs", tmp_path / "baseline")
    assert not again.changed


def test_keyed(at_once: Learned, logs: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    file = tmp_path / "baseline"
    with pytest.raises(OptionError, match="give a key file"):
        learned(logs / "0", file, anonymise=True)
    with pytest.raises(OptionError, match="must be asked for"):
        learned(logs / "0", file, key_file=key)
    learned(logs / "0", file, key_file=key, anonymise=True)
    again = learned(logs, file, key_file=key, protected=True)
    assert again.days[-1] == FIRST + 2
    baseline = read_baseline(file)
    secret = Key(b"k" * 32)
    assert baseline.key_check == secret.check
    sources = set(at_once.baseline["hours"].source)
    assert set(baseline["hours"].source) == {secret.address(source) for source in sources}
    before = file.read_bytes()
    other = tmp_path / "other"
    other.write_bytes(b"l" * 32)
    for wrong, complaint in ((None, "expected --key-file"), (other, "hashes of another key")):
        with pytest.raises(BaselineError, match=complaint):
            learned(logs, file, key_file=wrong)
    with pytest.raises(BaselineError, match="no hashes of any key"):
        learned(logs, at_once.path, key_file=key)
    assert file.read_bytes() == before


def test_learning_all_there_is_imports_no_detectors() -> None:
    dear = ("analyzer.detectors", "analyzer.rules", "scipy", "sklearn", "scapy")
    code = f"import sys, analyzer.learning; print(sys.modules.keys() & {set(dear)})"
    command = (sys.executable, "-c", code)
    process = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    assert process.stdout == "set()\n"


def test_learners_at_the_same_time_lose_nothing(
    at_once: Learned, logs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "baseline"
    threads = [threading.Thread(target=learned, args=(logs / str(day), file)) for day in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    baseline = read_baseline(file)
    assert baseline.days == at_once.baseline.days
    assert baseline["days"].equals(at_once.baseline["days"])


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({"window": 0}, OptionError, "window of 0 days: expected 1 to 3660"),
        ({"paths": "gone"}, InputError, "gone"),
        ({"begin": MONDAY + 99 * DAY}, EmptyInputError, "no record in the time asked for"),
        ({"local_networks": ["x"]}, OptionError, "'x' is no network"),
    ],
)
def test_errors(
    logs: Path, tmp_path: Path, options: dict[str, Any], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        learned(**{"paths": logs / "0", "file": tmp_path / "baseline", **options})
    assert not (tmp_path / "baseline").exists()


def test_what_is_no_baseline_is_left_as_it_was(logs: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("mine", "utf-8")
    with pytest.raises(BaselineError, match=r"notes\.txt: is no baseline"):
        learned(logs / "0", file)
    assert file.read_text("utf-8") == "mine"

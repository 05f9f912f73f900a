from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.errors import EmptyInputError, InputError, OptionError
from analyzer.indicators import Indicator
from analyzer.networks import parse_networks
from analyzer.opening import open_records
from tests.test_cli import BEGIN, scan_rows, write_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_log(tmp_path / "conn.log", scan_rows(hosts=20))


@pytest.mark.parametrize("several", [False, True])
def test_records_and_books(log: Path, *, several: bool) -> None:
    told: list[int] = []
    stages: list[str] = []
    listed = (Indicator("address", "192.0.2.1"),)
    with open_records(
        [log] if several else log,
        parse_networks(["10.0.0.0/24"]),
        begin=BEGIN + 0.5,
        end=BEGIN + 1.0,
        indicators=listed,
        on_progress=told.append,
        on_stage=stages.append,
    ) as opened:
        assert opened.records.counts == {"conn": 5, "dns": 0}
        assert (opened.records.first, opened.records.last) == (BEGIN + 0.5, BEGIN + 0.9)
        assert opened.records.indicators == listed
        assert opened.records.conn.orig_h.execute().tolist() == ["10.0.0.5"] * 5
    assert opened.account.read["conn"] == 20
    assert opened.seconds > 0
    assert sum(told) == log.stat().st_size
    assert stages == ["reading"]


def test_what_is_summed_up_needs_fewer_columns(log: Path) -> None:
    with open_records(log, ()) as all_of_them, open_records(log, (), summing=True) as few:
        assert set(few.records.conn.columns) < set(all_of_them.records.conn.columns)


def test_no_record_in_the_time(log: Path) -> None:
    with (
        pytest.raises(EmptyInputError, match="no record in the time asked for"),
        open_records(log, (), begin=BEGIN + 1000.0),
    ):
        pass


def test_what_is_passed_on(log: Path) -> None:
    with pytest.raises(OptionError, match="threads 0"), open_records(log, (), threads=0):
        pass
    gone = log.with_name("gone")
    with pytest.raises(InputError, match="no such file"), open_records(gone, ()):
        pass

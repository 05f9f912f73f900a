"""What records have that a baseline does not."""

from __future__ import annotations

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.daily import NETWORK
from analyzer.baseline.news import News, new_rows

from . import FIRST, frame
from .known import DESK, PRINTER, known, summary


def test_nothing_is_new() -> None:
    news = News(known(3), summary([5]))
    assert [news.of(source) for source in (DESK, PRINTER, NETWORK)] == [((), (), ())] * 3
    rows = new_rows(known(3), summary([5]))
    assert {name: len(rows[name]) for name in ("peers", "offered", "domains")} == {
        "peers": 0,
        "offered": 0,
        "domains": 0,
    }


def test_what_is_new_for_a_host_need_not_be_for_the_network() -> None:
    records = summary([5]) | {
        "ports": frame(
            "ports",
            (DESK, "udp", 123, "ntp", True, FIRST + 5, 1.0, 1.0),
            (DESK, "tcp", 4444, "ssh", True, FIRST + 5, 9.0, 1.0),
            (DESK, "tcp", 443, "", True, FIRST + 5, 1.0, 1.0),
        ),
        "offered": frame("offered", (DESK, "tcp", 22, FIRST + 5, FIRST + 5, 1.0)),
    }
    news = News(known(3), records)
    ports, applications, services = news.of(DESK)
    assert ports == ("4444/tcp", "123/udp")
    assert applications == ("ssh", "ntp")
    assert [(one.host, one.port) for one in services] == [(DESK, 22)]
    assert news.of(PRINTER) == ((), (), ())
    ports, applications, services = news.of(NETWORK)
    assert (ports, applications, len(services)) == (("4444/tcp",), ("ssh",), 1)


def test_to_an_empty_baseline_all_is_new() -> None:
    ports, applications, services = News(Baseline(), summary([0])).of(NETWORK)
    assert (ports, applications) == (("443/tcp", "123/udp"), ("ssl", "ntp"))
    assert len(services) == 1
    assert len(new_rows(Baseline(), summary([0]))["peers"]) == 3


def test_new_peers() -> None:
    rows = new_rows(known(3), summary([5], peer="203.0.113.1"))
    assert rows["peers"].peer.tolist() == ["203.0.113.1"]


def test_records_without_some_tables() -> None:
    few = {name: table for name, table in summary([5]).items() if name in ("hours", "days")}
    assert News(known(2), few).of(NETWORK) == ((), (), ())

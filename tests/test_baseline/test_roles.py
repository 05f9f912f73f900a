"""What hosts are for, by what they do."""

from __future__ import annotations

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.roles import DEVICE, SERVER, WORKSTATION, roles

from . import FIRST, frame, small


def offers(host: str, clients: float, port: int = 445) -> tuple[object, ...]:
    return (host, "tcp", port, FIRST, FIRST, clients)


def asks(host: str, domains: float, day: int = FIRST) -> tuple[object, ...]:
    return (host, day, 10.0, domains, domains, 0.0, 100.0, 20.0)


def active(host: str) -> tuple[object, ...]:
    return (host, FIRST, 9, *([1.0] * 8))


def test_an_empty_baseline_has_none() -> None:
    found = roles(Baseline())
    assert found.to_dict() == {}
    assert found.index.name == "source"


def test_a_server_answers_three_hosts_on_one_port() -> None:
    baseline = small(
        offered=frame("offered", offers("s", 3.0), offers("n", 2.0), offers("n", 2.0, 80))
    )
    # Two ports with two clients each are neighbours that found each other; nothing else is known.
    assert roles(baseline).to_dict() == {"s": SERVER}


def test_a_workstation_asks_for_twenty_domains_on_some_day() -> None:
    rows = (asks("w", 20.0), asks("d", 19.0), asks("d", 19.0, FIRST + 1), asks("w", 1.0, FIRST + 1))
    hours = frame("hours", active("w"), active("d"))
    baseline = small(lookups=frame("lookups", *rows), hours=hours)
    assert roles(baseline).to_dict() == {"d": DEVICE, "w": WORKSTATION}


def test_a_server_that_asks_for_many_names_is_a_server() -> None:
    baseline = small(
        offered=frame("offered", offers("a", 30.0)), lookups=frame("lookups", asks("a", 500.0))
    )
    assert roles(baseline).to_dict() == {"a": SERVER}


def test_all_else_is_a_device_and_addresses_are_in_order() -> None:
    baseline = small(hours=frame("hours", active("b"), active("a")))
    found = roles(baseline)
    assert list(found.index) == ["a", "b"]
    assert set(found) == {DEVICE}

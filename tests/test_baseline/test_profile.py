"""All numbers of a network in which all is known."""

from __future__ import annotations

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.profile import Profiles, Talker
from analyzer.baseline.usual import LEVELS

from . import FIRST, frame, small
from .known import DESK, PRINTER, known

PROFILES = Profiles(known(10))


def test_a_host() -> None:
    found = PROFILES.host(DESK)
    assert (found.host, found.role, found.judged_by) == (DESK, "workstation", "this host")
    assert (found.days, found.first, found.last) == (10, "2026-01-19", "2026-01-28")
    centres = {name: each.centre for name, each in found.per_connection.items()}
    # To half a bin: a fifth.
    assert centres == {
        "bytes_out": pytest.approx(1000, rel=0.2),
        "bytes_in": pytest.approx(1e4, rel=0.2),
        "duration": pytest.approx(2.0, rel=0.2),
        "packets_out": pytest.approx(10, rel=0.2),
    }
    assert set(found.unknown.values()) == {0.0}
    assert found.per_hour["connections"].centre == pytest.approx(60, rel=0.2)
    assert found.per_hour["connections"].samples == 100.0
    assert found.per_hour["destinations"].quantiles["99"] == pytest.approx(5, rel=0.25)
    assert found.per_minute is not None
    assert found.per_minute.centre == pytest.approx(1.0, rel=0.2)
    assert found.busiest_minute is not None
    assert found.busiest_minute.centre == pytest.approx(10.0, rel=0.25)
    # Hours that are over are on a grid, and so is one of them like another, but for the latest.
    assert found.rhythm.hours[:8] == (0.0,) * 8
    assert found.rhythm.hours[8:18] == pytest.approx((0.1,) * 10, abs=1e-3)
    assert found.rhythm.connections[0][9] == pytest.approx(60, rel=0.1)
    assert found.rhythm.connections[0][7] == 0.0
    assert found.rhythm.occurrences[0] == (2,) * 24
    assert found.rhythm.occurrences[6] == (1,) * 24
    assert [(port.proto, port.port, port.application) for port in found.ports] == [
        ("tcp", 443, "ssl")
    ]
    assert [(peer.address, peer.outside) for peer in found.peers] == [
        (PRINTER, False),
        ("198.51.100.7", True),
    ]
    assert found.services == ()
    assert [domain.name for domain in found.names.top] == ["example.com", "example.org"]
    assert found.names.length is not None
    assert found.names.length.centre == pytest.approx(20, rel=0.3)
    assert (found.reference, found.reference_stands_for) == (10, 300.0)
    assert {shift.state for shift in found.shifts} == {"steady"}


def test_another_host() -> None:
    found = PROFILES.host(PRINTER)
    assert (found.role, found.days) == ("device", 10)
    assert [(one.host, one.port) for one in found.services] == [(PRINTER, 9100)]
    assert found.names.unique is None
    assert found.rhythm.hours == pytest.approx((1 / 24,) * 24)


def test_the_network() -> None:
    found = PROFILES.network()
    assert (found.host, found.role, found.judged_by) == (None, "", "")
    assert found.busiest_minute is None
    assert found.per_hour["hosts"].quantiles["99"] == 2.0
    assert found.per_hour["hosts"].centre == 1.0
    assert "destinations" not in found.per_hour
    assert found.per_minute is not None
    # In the first five minutes of an hour: 61 connections by day, 1 by night.
    assert found.per_minute.centre == pytest.approx(0.2)
    assert found.per_minute.quantiles["99"] == pytest.approx(61 / 5, rel=0.1)
    assert [share.name for share in found.protocols] == ["tcp", "udp"]
    assert [share.name for share in found.applications] == ["ssl", "ntp"]
    assert {peer.address for peer in found.peers} == {PRINTER, "198.51.100.7", "198.51.100.123"}
    assert len(found.services) == 1


def test_talkers() -> None:
    desk, printer = PROFILES.talkers()
    assert (desk.host, printer.host) == (DESK, PRINTER)
    assert desk.bytes_out == pytest.approx(6e6, rel=0.2)
    assert printer == Talker(PRINTER, "device", "this host", 10, 240.0, 11520.0, 11520.0)


def test_hosts_with_few_hours_are_judged_by_others() -> None:
    def active(host: str, hours: int) -> list[tuple[object, ...]]:
        return [(host, FIRST, hour, *([1.0] * 8)) for hour in range(hours)]

    rows = [*active("many", 20), *active("some", 19), *active("few", 1)]
    offered = frame("offered", ("few", "tcp", 80, FIRST, FIRST, 5.0))
    profiles = Profiles(small(hours=frame("hours", *rows), offered=offered))
    assert {host: LEVELS[level] for host, level in profiles.judged_by.items()} == {
        "few": "all hosts",
        "many": "this host",
        "some": "hosts of its role",
    }


def test_who_is_known_by_name_alone_has_a_profile() -> None:
    lookups = frame("lookups", ("asks", FIRST, 9.0, 30.0, 30.0, 0.0, 300.0, 20.0))
    profiles = Profiles(small(lookups=lookups))
    found = profiles.host("asks")
    assert (found.role, found.judged_by, found.days, found.first) == ("workstation", "", 0, None)
    assert found.rhythm.hours == (None,) * 24
    assert profiles.talkers() == (Talker("asks", "workstation", "", 0, 0.0, 0.0, 0.0),)


def test_an_empty_baseline() -> None:
    profiles = Profiles(Baseline())
    assert (profiles.hosts, profiles.talkers()) == ([], ())
    found = profiles.network()
    assert (found.days, found.per_connection, found.per_hour) == (0, {}, {})
    assert found.per_minute is None
    with pytest.raises(KeyError):
        profiles.host("10.0.0.5")

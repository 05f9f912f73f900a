"""All that a baseline knows, and the keys of its JSON."""

from __future__ import annotations

import json

import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.overview import Overview, check_hosts, overview
from analyzer.errors import OptionError
from analyzer.writers.jsonl import json_line

from . import FIRST, frame
from .known import DESK, PRINTER, known

SAID = (FIRST + 1) * 86_400.0
VERDICTS = frame(
    "verdicts",
    (SAID, "ann", "f1", True, "new_port", DESK, "198.51.100.7", "tcp", 4444, "", 0.8),
    (SAID + 60, "bob", "f2", False, "volume", PRINTER, "", "", -1, "10 GB", 0.95),
)


def test_everything() -> None:
    found = overview(known(5).joined({"verdicts": VERDICTS}))
    assert list(found.hosts) == [DESK, PRINTER]
    assert found.roles == {"device": 1, "workstation": 1}
    assert found.judged_by == {"this host": 2}
    assert [one.host for one in found.talkers] == [DESK, PRINTER]
    later, earlier = found.verdicts
    assert (later.by, later.benign, later.said) == ("bob", False, "2026-01-20T00:01:00.000000Z")
    assert (later.destination, later.proto, later.port, later.subject) == (
        None,
        None,
        None,
        "10 GB",
    )
    assert (earlier.destination, earlier.port, earlier.subject) == ("198.51.100.7", 4444, None)


def test_one_host_and_its_verdicts() -> None:
    found = overview(known(5).joined({"verdicts": VERDICTS}), [DESK])
    assert list(found.hosts) == [DESK]
    assert [verdict.finding for verdict in found.verdicts] == ["f1"]
    # The network is told all the same.
    assert found.network.days == 5


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        ("10.0.0.6", "; is 10.0.0.5 meant?"),
        ("10.0.1.0", "; is 10.0.0.9 meant?"),
        ("10.0.0.5.", "; is 10.0.0.5 meant?"),
        ("fe80::1", ""),
    ],
)
def test_a_host_that_is_not_known(host: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        overview(known(2), [host])
    told = f"nothing is known of host {host}, only of 2 other hosts"
    assert str(caught.value) == told + hint


def test_hosts_of_nothing() -> None:
    check_hosts([], [])
    with pytest.raises(OptionError, match="only of no host"):
        check_hosts(["10.0.0.5"], [])


def test_an_empty_baseline() -> None:
    found = overview(Baseline())
    assert (found.hosts, found.roles, found.judged_by, found.verdicts) == ({}, {}, {}, ())


def keys(plain: object, path: str = "") -> set[str]:
    """Every path of keys; lists stand for their first item, hosts for any."""
    if isinstance(plain, dict):
        found = {path} if path else set()
        for name, value in plain.items():
            found |= keys(value, f"{path}.{'*' if path == '.hosts' else name}")
        return found
    if isinstance(plain, list):
        return {path, *(keys(plain[0], path + "[]") if plain else ())}
    return {path}


def test_json() -> None:
    found: Overview = overview(known(9).joined({"verdicts": VERDICTS}))
    plain = json.loads(json_line(found.as_dict()))
    assert list(plain) == [
        "state",
        "roles",
        "judged_by",
        "talkers",
        "network",
        "hosts",
        "verdicts",
    ]
    told = keys(plain)
    for path in (
        ".state.days",
        ".state.window",
        ".state.learned",
        ".state.left_out",
        ".state.drift.distance",
        ".state.drift.state",
        ".state.drift.shifts[].ordinary",
        ".state.drift.shifts[].state",
        ".state.drift.totals[].sigmas",
        ".state.rates",
        ".network.per_connection.duration.quantiles.95",
        ".network.rhythm.connections",
        ".hosts.*.per_connection.bytes_out.centre",
        ".hosts.*.per_connection.bytes_out.spread",
        ".hosts.*.per_hour.destinations.centre",
        ".hosts.*.per_minute.centre",
        ".hosts.*.busiest_minute.centre",
        ".hosts.*.rhythm.hours",
        ".hosts.*.rhythm.weekdays",
        ".hosts.*.rhythm.bytes_out",
        ".hosts.*.ports[].share",
        ".hosts.*.protocols[].share",
        ".hosts.*.applications[].share",
        ".hosts.*.peers[].first",
        ".hosts.*.services",
        ".hosts.*.names.top[].queries",
        ".hosts.*.names.length.centre",
        ".hosts.*.judged_by",
        ".hosts.*.shifts[].state",
        ".hosts.*.reference",
        ".talkers[].bytes_out",
        ".verdicts[].by",
    ):
        assert path in told, path
    assert len(plain["hosts"][DESK]["rhythm"]["connections"]) == 7
    assert len(plain["hosts"][DESK]["rhythm"]["hours"]) == 24


def test_json_has_the_same_keys_for_every_baseline_and_host() -> None:
    empty = json.loads(json_line(overview(Baseline()).as_dict()))
    full = json.loads(json_line(overview(known(9), [PRINTER]).as_dict()))
    assert list(empty) == list(full)
    assert list(empty["network"]) == list(full["network"]) == list(full["hosts"][PRINTER])
    assert list(empty["state"]) == list(full["state"])

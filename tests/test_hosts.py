"""Hosts: which findings are independent, how they add up, timelines and the ranking."""

from __future__ import annotations

import dataclasses
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.findings import Finding, Severity
from analyzer.hosts import (
    DAY,
    TIMELINE,
    Combination,
    Event,
    by_host,
    combine,
    days,
    is_about_names,
    rank_hosts,
    timeline,
    touched_tactics,
)
from analyzer.mitre import technique
from tests.test_findings import SCAN

BEGIN = 1_700_006_400.0


def finding(
    score: float,
    rule: str = "address_scan",
    tactic: str = "T1046",
    *,
    source: str = "10.0.0.5",
    at: float = 0.0,
    **changes: Any,  # noqa: ANN401 - whatever a finding has
) -> Finding:
    given: dict[str, Any] = {"port": None, "proto": None, "last": BEGIN + at + 60}
    return dataclasses.replace(
        SCAN,
        score=score,
        rule=rule,
        source=source,
        first=BEGIN + at,
        techniques=(technique(tactic),),
        message=f"{rule} {score}",
        **(given | changes),
    )


def scan(score: float = 0.9, **changes: Any) -> Finding:  # noqa: ANN401
    named: dict[str, Any] = {"port": 445, "proto": "tcp"}
    return finding(score, "address_scan", **named | changes)


def beacon(score: float = 0.8, **changes: Any) -> Finding:  # noqa: ANN401
    named: dict[str, Any] = {"destination": "203.0.113.9", "port": 443, "proto": "tcp"}
    return finding(score, "beacon", "T1071.001", **named | changes)


def tunnel(score: float = 0.8, **changes: Any) -> Finding:  # noqa: ANN401
    named: dict[str, Any] = {"subject": "example.com"}
    return finding(score, "dns_tunnel", "T1071.004", **named | changes)


def burst(score: float = 0.75, **changes: Any) -> Finding:  # noqa: ANN401
    return finding(score, "connection_burst", **changes)


def combined(*findings: Finding) -> Combination:
    ((_, about),) = by_host(findings).items()
    return combine(about)


def rules(*findings: Finding) -> list[list[str]]:
    return [[each.rule for each in group] for group in combined(*findings).groups]


def test_nothing_adds_up_to_nothing() -> None:
    assert combine([]) == combine(())
    assert (combine([]).score, combine([]).groups) == (0.0, ())


def test_a_scan_and_a_beacon_are_two_pieces_of_evidence() -> None:
    assert rules(scan(), beacon()) == [["address_scan"], ["beacon"]]
    assert combined(scan(0.9), beacon(0.8)).score == pytest.approx(1 - 0.1 * 0.2)


def test_a_rule_counts_once_with_its_loudest() -> None:
    assert combined(scan(0.9), scan(0.85, port=22)).score == pytest.approx(0.9)


@pytest.mark.parametrize(
    "other",
    [
        # The same pair, whatever it serves.
        finding(0.8, "long_connection", "T1095", destination="203.0.113.9"),
        finding(0.8, "upload", "T1041", destination="203.0.113.9", port=443),
        # Command and control of the host, no pair named.
        finding(0.8, "strobe", "T1571", port=443, proto="tcp"),
        # By the name of a server.
        finding(0.8, "sni_beacon", "T1071.001", subject="c2.example.com", port=443),
    ],
    ids=lambda each: each.rule,
)
def test_what_may_be_the_same_connections_is_one(other: Finding) -> None:
    assert rules(beacon(0.85), other) == [["beacon", other.rule]]
    assert combined(beacon(0.85), other).score == pytest.approx(0.85)


@pytest.mark.parametrize(
    "other",
    [
        finding(0.8, "long_connection", "T1095", destination="203.0.113.10"),
        finding(0.8, "strobe", "T1571", destination="203.0.113.9", port=8443),
        finding(0.8, "udp_beacon", "T1095", destination="203.0.113.9", proto="udp"),
        finding(0.8, "upload", "T1041", port=443),
        tunnel(),
    ],
    ids=lambda each: each.rule,
)
def test_what_is_other_traffic_is_another_piece(other: Finding) -> None:
    assert rules(beacon(0.85), other) == [["beacon"], [other.rule]]


def test_domains_are_one_where_one_is_below_the_other() -> None:
    dga = finding(0.75, "dga", "T1568.002", subject="a.example.com")
    assert rules(tunnel(), dga) == [["dns_tunnel", "dga"]]
    assert rules(tunnel(), dataclasses.replace(dga, subject="badexample.com")) == [
        ["dns_tunnel"],
        ["dga"],
    ]
    assert rules(tunnel(), dataclasses.replace(dga, subject="")) == [["dns_tunnel", "dga"]]


def test_whole_volume_is_explained_by_what_was_at_the_time() -> None:
    assert rules(beacon(), burst(at=30)) == [["beacon", "connection_burst"]]
    assert rules(beacon(), burst(at=61)) == [["beacon"], ["connection_burst"]]
    # It ties no two other things together.
    assert rules(scan(), beacon(), burst()) == [["address_scan", "connection_burst"], ["beacon"]]


def test_what_repeats_a_tactic_or_is_weak_counts_half() -> None:
    other = finding(0.8, "persistent_failure", "T1571", destination="203.0.113.10")
    assert combined(beacon(0.8), other).score == pytest.approx(1 - 0.2 * 0.6)
    assert combined(scan(0.9), beacon(0.78)).score == pytest.approx(1 - 0.1 * 0.61)
    weak = dataclasses.replace(other, score=0.76)
    assert combined(beacon(0.8), weak).score == pytest.approx(1 - 0.2 * (1 - 0.25 * 0.76))


def test_what_is_about_names() -> None:
    assert is_about_names(tunnel())
    assert is_about_names(finding(0.8, "dga", "T1568.002"))
    assert is_about_names(finding(0.8, "pair_byte_burst", "T1030", port=53))
    assert not is_about_names(beacon())
    assert not is_about_names(dataclasses.replace(beacon(), techniques=()))


def test_findings_of_one_day_add_up() -> None:
    apart = [scan(0.9), beacon(0.8, at=DAY + 3600)]
    (rank,) = rank_hosts(apart)
    assert rank.score == pytest.approx(0.9)
    assert (rank.groups, rank.findings) == (1, 2)
    lasting = dataclasses.replace(apart[0], last=apart[1].last)
    assert rank_hosts([lasting, apart[1]])[0].score == pytest.approx(0.98)
    spans = list(days(apart))
    assert spans == [(BEGIN, (apart[0],)), (BEGIN + DAY + 3600, (apart[1],))]


def test_the_timeline_tells_the_loudest_of_each_rule_in_order_of_time() -> None:
    repeats = [scan(0.9 - k / 1000, at=1000 - k) for k in range(20)]
    late = beacon(0.71, at=5000)
    events = timeline([*repeats, late])
    assert len(events) == TIMELINE
    assert events[-1] == Event(BEGIN + 5000, Severity.LOW, "beacon 0.71")
    assert [event.time - BEGIN for event in events[:-1]] == [994 + k for k in range(7)]
    (rank,) = rank_hosts([late, *repeats])
    assert (rank.timeline, rank.left_out) == (events, 13)


def test_tactics_are_those_of_the_most_fitting_technique() -> None:
    both = dataclasses.replace(burst(), techniques=(technique("T1046"), technique("T1498")))
    assert touched_tactics([tunnel(), both]) == ("TA0007", "TA0011")


def test_a_rank() -> None:
    findings = [
        scan(0.8),
        scan(0.9, at=5),
        tunnel(0.85),
        finding(0.96, source="10.0.0.9"),
        finding(0.97, source="203.0.113.5"),
    ]
    first, second, third = rank_hosts(findings, outside={"203.0.113.5"})
    assert (first.host, first.findings, first.groups) == ("10.0.0.5", 3, 2)
    assert first.score == pytest.approx(1 - 0.1 * 0.15)
    assert first.rules == ("address_scan", "dns_tunnel")
    assert first.tactics == ("TA0007", "TA0011")
    assert (second.host, second.findings, second.is_local) == ("10.0.0.9", 1, True)
    assert second.score == pytest.approx(0.96)
    assert (third.host, third.is_local) == ("203.0.113.5", False)


def test_ties_are_broken_by_number_and_name() -> None:
    findings = [finding(0.8, source=f"10.0.0.{n}") for n in (3, 2, 9, 9)]
    assert [rank.host for rank in rank_hosts(findings)] == ["10.0.0.9", "10.0.0.2", "10.0.0.3"]


def test_no_findings_rank_no_hosts() -> None:
    assert rank_hosts([]) == ()


DRAWN = st.builds(
    finding,
    st.floats(0, 1),
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["T1046", "T1071.001", "T1071.004", "T1041"]),
    source=st.sampled_from(["10.0.0.1", "::1"]),
    at=st.floats(0, 3 * DAY),
    destination=st.sampled_from([None, "203.0.113.1", "203.0.113.2"]),
    port=st.sampled_from([None, 53, 443]),
    subject=st.sampled_from(["", "example.com", "www.example.com"]),
)


@given(st.lists(DRAWN, max_size=12), st.randoms(use_true_random=False))
def test_a_host_is_at_least_as_sure_as_its_loudest_finding(
    findings: list[Finding], shuffler: Random
) -> None:
    ranks = rank_hosts(findings)
    assert {rank.host for rank in ranks} == {each.source for each in findings}
    assert [rank.score for rank in ranks] == sorted((rank.score for rank in ranks), reverse=True)
    for rank in ranks:
        own = [each for each in findings if each.source == rank.host]
        assert rank.findings == len(own) == len(rank.timeline) + rank.left_out
        loudest = max(each.score for each in own)
        assert loudest - 1e-12 <= rank.score <= 1
        assert sorted(rank.rules) == sorted({each.rule for each in own})
        if len(rank.rules) == 1:
            assert math.isclose(rank.score, loudest, abs_tol=1e-12)
    shuffler.shuffle(findings)
    assert rank_hosts(findings) == ranks

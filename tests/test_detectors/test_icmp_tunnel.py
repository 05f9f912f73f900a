"""ICMP tunnels: what echoes carry beyond pings, and what looks like it and is none."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.icmp_tunnel import DETECTOR, Parameters
from analyzer.findings import Severity

from . import Row, connection, detect, evidence

HOUR = 3600.0
HOST, OUTSIDE, INSIDE = "10.0.0.5", "203.0.113.9", "10.0.0.1"


def echoes(
    packets: int,
    sent: int,
    received: int,
    lasted: float,
    second: float = 0.0,
    **columns: Any,  # noqa: ANN401 - whatever conn holds
) -> Row:
    """One run of echoes as Zeek logs it."""
    row = connection(second, HOST, OUTSIDE, 0, proto="icmp")
    return row | {
        "orig_pkts": packets,
        "orig_bytes": sent,
        "resp_bytes": received,
        "duration": lasted,
        **columns,
    }


def found(rows: list[Row]) -> list[Detection]:
    return detect(DETECTOR, Parameters(), rows)


# Runs of echoes, and the score to a percent; none where nothing is said.
SCENES: dict[str, tuple[list[Row], float | None]] = {
    "an hour's ping": ([echoes(3600, 201_600, 201_600, 3600)], None),
    "the largest ordinary one": ([echoes(3600, 230_400, 230_400, 3600)], None),
    "a path-MTU probe": ([echoes(20, 29_440, 29_440, 20)], None),
    "one to a dead host": ([echoes(20, 29_440, 0, 20)], None),
    "a large ping for five minutes": ([echoes(300, 420_000, 420_000, 300)], 0.76),
    "the same within a minute": ([echoes(300, 420_000, 420_000, 60)], 0.83),
    "a trace": ([echoes(9000, 324_000, 32_400, 900)], None),
    "a flood of small ones": ([echoes(3000, 168_000, 168_000, 3)], 0.76),
    "bulk in large echoes": ([echoes(900, 1_080_000, 1_080_000, 45)], 0.88),
    "one way": ([echoes(2000, 2_800_000, 0, 100)], 0.90),
    "more back than sent": ([echoes(200, 9_200, 40_000, 200)], 0.81),
    "sizes that change": ([echoes(500, 90_001, 90_001, 60)], 0.90),
    "answers of another size": ([echoes(500, 50_000, 30_001, 500)], 0.80),
    "lost answers": ([echoes(500, 50_000, 30_000, 500)], None),
    "too few to tell": ([echoes(40, 4_001, 9_001, 40)], None),
    "nothing inside them": ([echoes(500, 0, 0, 5)], None),
    "unknown sizes": (
        [echoes(5, 5, 5, 5, orig_pkts=None, orig_bytes=None, resp_bytes=None, duration=None)],
        None,
    ),
    "bulk inside": ([echoes(900, 1_080_000, 1_080_000, 45, resp_h=INSIDE)], 0.78),
    "bulk between others": ([echoes(900, 1_080_000, 1_080_000, 45, orig_h="192.0.2.1")], None),
    "to a group": ([echoes(900, 1_080_000, 9_080_000, 45, resp_h="10.0.0.255")], None),
    "replies to nobody": ([echoes(900, 1_080_000, 0, 45, orig_p=0)], 0.83),
    "unreachable messages": ([echoes(900, 1_080_000, 0, 45, orig_p=3)], None),
    "version six": (
        [echoes(900, 1_080_000, 1_080_000, 45, orig_p=128, orig_h="fd00::5", resp_h="2001:db8::9")],
        0.88,
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_scene(name: str) -> None:
    rows, score = SCENES[name]
    assert [round(each.score, 2) for each in found(rows)] == ([] if score is None else [score])


def test_what_is_said() -> None:
    (said,) = found([echoes(900, 1_080_000, 1_080_000, 45)])
    assert said.message == (
        "10.0.0.5 sent 203.0.113.9 900 echo requests with 1.08 MB and got 1.08 MB back, "
        "2.1 MB more than pings carry"
    )
    assert (said.source, said.destination, said.proto, said.port) == (HOST, OUTSIDE, "icmp", None)
    numbers = evidence(said)
    assert numbers["payload of a request"] == 1200.0
    assert numbers["requests a second"] == 20.0
    assert numbers["share of requests in runs that are no echo"] == 0.0
    assert numbers["as much in every hour"] == "no"


def test_the_local_end_is_the_source() -> None:
    (said,) = found([echoes(900, 1_080_000, 1_080_000, 45, orig_h=OUTSIDE, resp_h=HOST)])
    assert (said.source, said.destination) == (HOST, OUTSIDE)
    assert said.message.startswith("203.0.113.9 sent 10.0.0.5 900 echo requests")


def test_a_monitor_sends_as_much_in_every_hour() -> None:
    probes = [echoes(10, 14_000, 14_000, 10, 300.0 * k) for k in range(288)]
    assert [each.score for each in found(probes)] == [0.5, 0.5]
    # So long as it sends echoes: what is carried along with it is seen.
    shell = [echoes(600, 90_001, 250_003, 300, 5 * HOUR + 400.0 * k) for k in range(3)]
    assert Severity.of(found(probes + shell)[0].score) >= Severity.HIGH
    uneven = [row for k, row in enumerate(probes) if k % 12 < 1 + k // 24]
    assert all(each.score > 0.5 for each in found(uneven))


def test_what_everyone_pings_is_quieter() -> None:
    run = [echoes(300, 420_000, 420_000, 60)]
    everyone = [echoes(4, 224, 224, 3, 10.0 * k, orig_h=f"10.0.1.{k}") for k in range(1, 20)]
    others = [row | {"resp_h": "198.51.100.1"} for row in everyone]
    (rare,) = found(run + others)
    (common,) = found(run + everyone)
    assert Severity.of(rare.score) is Severity.MEDIUM
    assert round(rare.score - common.score, 2) == 0.15


def test_nothing_comes_of_nothing() -> None:
    assert found([]) == []
    assert found([connection(0, HOST, OUTSIDE, 443)]) == []

"""What explains a silence: each trace of it in what else is tried."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.detectors import Shared
from analyzer.detectors.silence import Silence, Surroundings, explanation, surroundings

from . import Row, connection, holding

QUIET = Surroundings(
    hosts=40,
    several=10.0,
    met={"198.51.100.7": 1},
    ports={(1177, "tcp"): (1, 0, 1), (25, "tcp"): (4, 3, 2)},
    sources={("10.0.0.5", False): (30, 2, 1.0), ("10.0.0.5", True): (0, 5, 1.0)},
    mailers=frozenset({"10.0.0.25"}),
)


def silence(
    *addresses: str, source: str = "10.0.0.5", port: int = 1177, tries: int = 60
) -> Silence:
    return Silence(source, port, "tcp", addresses or ("198.51.100.7",), tries)


def test_nothing_explains_a_dead_server() -> None:
    assert explanation(silence(), QUIET, 10) == ""
    assert QUIET.tried_by(silence()) == 1


def changed(**values: object) -> Surroundings:
    fields = {name: getattr(QUIET, name) for name in Surroundings.__dataclass_fields__}
    return Surroundings(**(fields | values))


@pytest.mark.parametrize(
    ("around", "tried", "reason"),
    [
        (changed(met={"198.51.100.7": 10}), silence(), "many local hosts try it"),
        (changed(met={"198.51.100.7": 9}), silence(), ""),
        (
            changed(ports={(1177, "tcp"): (10, 0, 3)}),
            silence(),
            "nobody outside ever answers on this port",
        ),
        (changed(ports={(1177, "tcp"): (10, 1, 3)}), silence(), ""),
        (changed(ports={(1177, "tcp"): (10, 0, 2)}), silence(), ""),
        (
            changed(sources={("10.0.0.25", False): (9, 1, 1.0)}),
            silence(source="10.0.0.25", port=25),
            "a mail host's dead partner",
        ),
        (QUIET, silence(port=25), ""),
        (
            QUIET,
            silence(*(f"198.51.100.{k}" for k in range(11))),
            "too many silent addresses on this port",
        ),
        (QUIET, silence(*(f"198.51.100.{k}" for k in range(10))), ""),
        (
            changed(sources={("10.0.0.5", False): (9, 10, 12.5)}),
            silence(),
            "many other addresses are as silent to this host",
        ),
        (changed(sources={("10.0.0.5", False): (9, 10, 12.0)}), silence(), ""),
        (changed(sources={("10.0.0.5", False): (9, 9, 99.0)}), silence(), ""),
        (QUIET, silence("2001:db8::1"), "no outside address ever answers this host"),
    ],
)
def test_explanations(around: Surroundings, tried: Silence, reason: str) -> None:
    assert explanation(tried, around, 10) == reason


def failing(count: int, source: str, destination: str, port: int) -> list[Row]:
    return [connection(60.0 * k, source, destination, port, answered=False) for k in range(count)]


def test_what_goes_on_around() -> None:
    rows = (
        failing(30, "10.0.0.5", "198.51.100.7", 1177)
        + failing(2, "10.0.0.5", "198.51.100.8", 443)
        + failing(1, "10.0.0.6", "198.51.100.7", 443)
        + failing(1, "10.0.0.6", "198.51.100.9", 1177)
        + [connection(1, "10.0.0.7", "198.51.100.10", 1177)]
        + [connection(2, "10.0.0.5", "198.51.100.11", 587)]
        + [connection(3, "10.0.0.5", "2001:db8::1", 443)]
        + [connection(4, "10.0.0.8", "10.0.0.9", 1177)]
    )
    pairs = pd.DataFrame(
        {"orig_h": ["10.0.0.5"], "resp_h": ["198.51.100.7"], "resp_p": [1177], "proto": ["tcp"]}
    )
    with holding(rows) as records:
        around = surroundings(pairs, 0.25, records, Shared())
    assert around == Surroundings(
        hosts=4,
        several=3,
        met={"198.51.100.7": 2},
        ports={(1177, "tcp"): (3, 1, 2)},
        sources={("10.0.0.5", False): (1, 2, 23.0), ("10.0.0.5", True): (1, 0, 0.0)},
        mailers=frozenset({"10.0.0.5"}),
    )

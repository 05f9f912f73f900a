"""DNS zone transfers: who may ask for one."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.detectors import Detection
from analyzer.detectors.dns_transfer import DETECTOR, Parameters

from . import START, Row, detect, evidence, lookup


def transfer(second: float = 0, zone: str | None = "ad.example.com", **columns: Any) -> Row:  # noqa: ANN401
    columns = {"qtype_name": "AXFR", "proto": "tcp"} | columns
    return lookup(second, columns.pop("source", "10.0.0.5"), "", **columns) | {"query": zone}


def found_in(dns: list[Row], **changes: object) -> list[Detection]:
    return detect(DETECTOR, Parameters(**changes), [], dns)  # type: ignore[arg-type]


def test_what_is_said() -> None:
    (found,) = found_in([transfer(5), transfer(9)])
    assert found.message == "10.0.0.5 asked 10.0.0.53 for a zone transfer of ad.example.com"
    assert (found.source, found.destination, found.port) == ("10.0.0.5", "10.0.0.53", 53)
    assert (found.first, found.last, found.connections) == (START + 5, START + 9, 2)
    assert (found.subject, found.score) == ("ad.example.com", 0.85)
    assert evidence(found) == {
        "zone transfers asked for": 2,
        "zones": 1,
        "of them answered without an error": 2,
        "hosts that ask the source": 0,
        "hours with a transfer": 1,
    }


def test_several_zones() -> None:
    (found,) = found_in([transfer(0, "b.example.com"), transfer(1, "a.example.com")])
    assert found.message.endswith("for a zone transfer of a.example.com and 1 more")
    assert found.subject == ""


@pytest.mark.parametrize(
    ("columns", "score"),
    [
        ({}, 0.85),
        ({"qtype_name": "IXFR"}, 0.85),
        ({"rcode_name": "REFUSED"}, 0.8),
        ({"rcode_name": None}, 0.8),
        ({"zone": "gummybacon"}, 0.72),
        ({"zone": ""}, 0.72),
        ({"zone": None}, 0.72),
        ({"source": "198.51.100.9"}, 0.85),
        ({"resp_p": None}, 0.85),
    ],
)
def test_scores(columns: dict[str, Any], score: float) -> None:
    (found,) = found_in([transfer(**columns)])
    assert found.score == score


@pytest.mark.parametrize(("clients", "score"), [(1, 0.85), (2, 0.5)])
def test_a_name_server_may_ask(clients: int, score: float) -> None:
    asked = [lookup(9, f"10.0.0.{60 + k}", "a.com", resp_h="10.0.0.5") for k in range(clients)]
    (found,) = found_in([transfer(), *asked])
    assert found.score == score


@pytest.mark.parametrize(("hours", "score"), [(2, 0.85), (3, 0.5)])
def test_a_secondary_comes_back(hours: int, score: float) -> None:
    (found,) = found_in([transfer(3600.0 * hour) for hour in range(hours)])
    assert found.score == score


def test_other_types_are_none() -> None:
    assert found_in([transfer(qtype_name="SOA"), transfer(qtype_name=None)]) == []
    assert found_in([]) == []

"""DNS habits: names, failures, lengths, new domains and busy hours beside a host's own."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analyzer.baseline.baseline import Baseline
from analyzer.detectors import Detection
from analyzer.detectors.comparison import Comparison
from analyzer.detectors.dns_habits import DETECTOR, Parameters, measures
from analyzer.findings import Severity

from . import DAY, START, evidence, lookup
from .beside import FIRST_DAY, HOSTS, TODAY, asking, judged, office

MORNING = TODAY * DAY + 36_000.0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def word(number: int, length: int = 12) -> str:
    return "".join(LETTERS[(number * (k + 3) + k * k) % 26] for k in range(length))


@pytest.fixture(scope="module")
def found() -> dict[str, Detection]:
    rows = [
        *asking(TODAY),
        *[
            lookup(MORNING + 10 * k, HOSTS[0], f"{word(k)}{k}.net", rcode_name="NXDOMAIN")
            for k in range(200)
        ],
        *[
            lookup(MORNING + k, HOSTS[1], f"{word(k, 60)}.{word(k + 9, 50)}.site1.com")
            for k in range(900)
        ],
    ]
    return {each.source: each for each in judged(DETECTOR, Parameters(), office(), (), rows)}


def test_two_hundred_domains_nobody_asked_for(found: dict[str, Detection]) -> None:
    bot = found[HOSTS[0]]
    assert bot.message.startswith(f"{HOSTS[0]} changed what it asks of DNS: ")
    first = sorted(f"{word(k)}{k}.net" for k in range(200))
    assert bot.message.endswith(f"; new are {', '.join(first[:3])} and 197 more")
    assert bot.technique == "T1568.002"
    assert (bot.port, bot.connections) == (53, 230)
    assert (bot.first, bot.last) == (START + TODAY * DAY, START + TODAY * DAY + 29 * 2880)
    assert bot.score >= Severity.LOW.bound
    said = evidence(bot)
    assert said["new domains"] == 200
    assert said["names that do not exist"] == 200
    assert said["domains that nobody asked for"] == f"{', '.join(first[:10])} and 190 more"
    assert said["judged by"] == "3 days"


def test_names_that_carry_data(found: dict[str, Detection]) -> None:
    tunnel = found[HOSTS[1]]
    assert tunnel.technique == "T1071.004"
    assert tunnel.score >= Severity.LOW.bound


def test_nobody_else(found: dict[str, Detection]) -> None:
    assert set(found) == {HOSTS[0], HOSTS[1]}


Asked = tuple[str, int, float, float, float, float, float]
NO_NEW = pd.DataFrame(
    {"source": pd.Series(dtype=str), "day": pd.Series(dtype=int), "new": pd.Series(dtype=float)}
)


def lookups(rows: list[Asked]) -> pd.DataFrame:
    table = pd.DataFrame(
        rows, columns=["source", "day", "names", "domains", "refused", "letters", "longest"]
    )
    return table.assign(day=table.day + FIRST_DAY, queries=table.names * 3)


def chances(
    past: list[Asked], now: list[Asked], new: pd.DataFrame = NO_NEW
) -> dict[tuple[str, str], float]:
    empty = Baseline()
    domains = pd.DataFrame({"domain": ["a.com"]})
    baseline = replace(empty, tables={**empty.tables, "lookups": lookups(past), "domains": domains})
    summary = {"lookups": lookups(now), "hours": empty.tables["hours"]}
    table = measures(Comparison(summary, baseline, held_aside=False), new)
    return dict(zip(zip(table.source, table.measure, strict=True), table.chance, strict=True))


OFFICE: list[Asked] = [
    (f"h{k}", day, 100.0 + 10 * day, 60.0, 2.0, 2000.0, 40.0) for k in range(15) for day in range(3)
]
MAIL: list[Asked] = [
    ("mail", day, 9000.0 + 500 * day, 40.0, 6000.0, 270_000.0, 70.0) for day in range(3)
]


def test_a_mail_server_is_judged_by_its_own_days() -> None:
    today: list[Asked] = [
        ("mail", 7, 10_500.0, 40.0, 7000.0, 310_000.0, 70.0),
        ("h1", 7, 10_500.0, 40.0, 7000.0, 310_000.0, 70.0),
    ]
    chance = chances([*OFFICE, *MAIL], today)
    assert {chance["mail", measure] for measure in ("names", "refused", "length")} == {1.0}
    assert chance["h1", "names"] < 1e-6
    assert chance["h1", "refused"] < 1e-6
    assert chance["h1", "length"] > 1e-3


def test_new_domains_are_compared_with_the_days_other_hosts() -> None:
    today: list[Asked] = [(f"h{k}", 7, 100.0, 60.0, 2.0, 2000.0, 40.0) for k in range(15)]
    counts = {"source": [f"h{k}" for k in range(15)], "day": [FIRST_DAY + 7] * 15}
    few = pd.DataFrame(counts | {"new": [2.0 + 50 * (k == 4) for k in range(15)]})
    chance = chances(OFFICE, today, few)
    assert chance["h4", "new"] < 1e-4
    assert chance["h5", "new"] > 0.1
    # On the first day after a long time everything is new to everybody.
    many = pd.DataFrame(counts | {"new": [45.0 + 5 * (k == 4) for k in range(15)]})
    assert chances(OFFICE, today, many)["h4", "new"] > 0.1


def test_without_domains_learned_nothing_is_new() -> None:
    today: list[Asked] = [("h1", 7, 100.0, 60.0, 2.0, 2000.0, 40.0)]
    new = pd.DataFrame({"source": ["h1"], "day": [FIRST_DAY + 7], "new": [60.0]})
    # Nor is there anything to compare with for one host alone.
    assert chances(OFFICE, today, new)["h1", "new"] == 1.0

"""What is kept of connections, and records again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from analyzer.engine import Engine
from analyzer.networks import LocalNetworks
from analyzer.watch import folding
from analyzer.watch.folding import (
    Kept,
    as_records,
    bounded,
    flagged,
    folded,
    nothing,
    reaching_back,
)

HOUR = 3600.0
DAY = 24 * HOUR
T = 1_700_000_000.0


def conn(ts: float, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of any type
    return {
        "ts": T + ts,
        "uid": f"C{ts:.0f}{values.get('orig_h', '')}{values.get('resp_h', '')}",
        "orig_h": "10.0.0.1",
        "orig_p": 50_000,
        "resp_h": "198.51.100.1",
        "resp_p": 443,
        "proto": "tcp",
        "duration": 0.5,
        "orig_bytes": 100,
        "resp_bytes": 200,
        "conn_state": "SF",
        "history": "ShADadfF",
        "orig_pkts": 5,
        "resp_pkts": 5,
        **values,
    }


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as opened:
        yield opened


def fold(
    engine: Engine,
    rows: Sequence[dict[str, Any]],
    dns: Sequence[dict[str, Any]] = (),
    names: dict[str, str] | None = None,
    **options: Any,  # noqa: ANN401 - as above
) -> Kept:
    engine.insert("conn", rows)
    engine.insert("dns", dns)
    engine.insert("ssl", [{"uid": uid, "server_name": name} for uid, name in (names or {}).items()])
    kept = options.pop("kept", None) or nothing(engine)
    return folded(kept, engine.records(), **{"begin": T - 7 * DAY, **options})


def rows(table: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - an Ibis table
    listed: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return listed


def test_calls_go_outside_and_ask_for_no_names_or_times(engine: Engine) -> None:
    kept = fold(
        engine,
        [
            conn(0.0),
            conn(1.0, resp_h="10.0.0.2"),
            conn(2.0, resp_h="198.51.100.53", resp_p=53, proto="udp"),
            conn(3.0, resp_h="224.0.0.1", proto="udp"),
            conn(4.0, proto="icmp", orig_p=0, resp_p=0),
        ],
    )
    (call,) = rows(kept.calls)
    assert call["ts"] == T
    assert (call["uid"], call["orig_p"], call["orig_bytes"]) == ("C0", 50_000, 100)
    assert (call["answered"], call["server_name"]) == (True, None)
    # Who answered a question that nobody saw was not met; all others were.
    assert sorted(each["resp_h"] for each in rows(kept.contacts)) == [
        "10.0.0.2",
        "198.51.100.1",
        "198.51.100.53",
        "224.0.0.1",
    ]


def test_contacts_are_joined_and_end(engine: Engine) -> None:
    kept = fold(
        engine,
        [conn(0.0, conn_state="S0", history="S"), conn(50.0), conn(-9 * DAY, resp_p=80)],
    )
    (contact,) = rows(kept.contacts)
    assert (contact["first"], contact["last"], contact["answered"]) == (T, T + 50, True)
    again = folded(kept, engine.records(), begin=T + 10)
    (contact,) = rows(again.contacts)
    assert (contact["first"], contact["last"]) == (T + 10, T + 50)
    (call,) = rows(again.calls)
    assert call["ts"] == T + 50


def test_what_comes_again_counts_once(engine: Engine) -> None:
    kept = fold(engine, [conn(0.0), conn(1.0)])
    engine.keep(kept.calls, "first_calls")
    kept = Kept(engine.table("first_calls"), kept.contacts, kept.names)
    assert folded(kept, engine.records(), begin=T).calls.count().execute() == 2


def test_names_asked_for_and_met(engine: Engine) -> None:
    asked = {"orig_h": "10.0.0.1", "resp_h": "10.0.0.53", "resp_p": 53, "proto": "udp"}
    kept = fold(
        engine,
        [conn(0.0)],
        [
            {**asked, "ts": T, "query": "a.example", "answers": ["198.51.100.1", "x" * 46]},
            {**asked, "ts": T + 5, "query": "a.example", "answers": ["198.51.100.2"]},
            {**asked, "ts": T + 9, "query": "b.example"},
        ],
        {"C0": "WWW.Example"},
    )
    named = sorted(rows(kept.names), key=lambda each: str(each["query"]))
    assert [(each["query"], each["resp_p"], each["last"] - T) for each in named] == [
        ("a.example", 53, 5),
        ("b.example", 53, 9),
        ("www.example", None, 0),
    ]
    assert [each["answers"] for each in named] == [
        ["198.51.100.2", "198.51.100.1"],
        None,
        None,
    ]
    (call,) = rows(kept.calls)
    assert call["server_name"] == "www.example"


def test_services_that_are_known_alone(engine: Engine) -> None:
    kept = fold(engine, [conn(0.0)])
    engine.keep(kept.calls, "first_calls")
    kept = Kept(engine.table("first_calls"), kept.contacts, kept.names)
    engine.clear()
    more = fold(
        engine,
        [conn(9.0), conn(9.0, resp_h="198.51.100.7")],
        kept=kept,
        only_known=True,
    )
    assert sorted(each["ts"] - T for each in rows(more.calls)) == [0, 9]


def test_records_again(engine: Engine) -> None:
    kept = fold(
        engine,
        [conn(0.0), conn(60.0), conn(5.0, resp_h="10.0.0.2"), conn(7.0, resp_h="10.0.0.2")],
        [{"ts": T, "orig_h": "10.0.0.1", "resp_h": "10.0.0.53", "resp_p": 53, "query": "a.b"}],
        {"C0": "a.b"},
    )
    records = as_records(kept, engine.records(), LocalNetworks())
    # Two calls, and one row for all contacts with the other host.
    assert records.counts == {"conn": 3, "dns": 2}
    assert (records.first, records.last) == (T, T + 60)
    assert records.conn.schema() == engine.table("conn").schema()
    assert rows(records.server_names) == [{"uid": "C0", "server_name": "a.b"}]
    assert {each["tried_p"] for each in rows(records.conn)} == {443}
    assert all(each["request"] for each in rows(records.conn))


def test_what_zeek_said_of_addresses(engine: Engine) -> None:
    kept = fold(engine, [conn(0.0, local_orig=True)])
    assert flagged(kept, LocalNetworks()).flagged
    assert not flagged(nothing(engine), LocalNetworks()).flagged


def keep_bounded(engine: Engine, given: Sequence[dict[str, Any]], most: int) -> tuple[Kept, int]:
    kept = fold(engine, given)
    records = as_records(kept, engine.records(), LocalNetworks())
    return bounded(kept, records, most)


def test_what_most_hosts_meet_is_not_kept_in_detail(engine: Engine) -> None:
    given = [conn(float(host), orig_h=f"10.0.0.{host}") for host in range(1, 5)]
    given.append(conn(9.0, resp_h="198.51.100.7"))
    kept, dropped = keep_bounded(engine, given, 100)
    assert [each["resp_h"] for each in rows(kept.calls)] == ["198.51.100.7"]
    assert kept.contacts.count().execute() == 5
    assert dropped == 0


def test_the_latest_calls_of_a_service(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_CALLS", 2)
    kept, dropped = keep_bounded(engine, [conn(float(n)) for n in range(5)], 100)
    assert sorted(each["ts"] - T for each in rows(kept.calls)) == [3, 4]
    assert dropped == 0


def test_the_least_promising_go_first(engine: Engine) -> None:
    # Three calls in three hours, four in one, and two in one that is later.
    given = [conn(n * HOUR, resp_h="198.51.100.1") for n in range(3)]
    given += [conn(float(n), resp_h="198.51.100.2") for n in range(4)]
    given += [conn(9 * HOUR + n, resp_h="198.51.100.3") for n in range(2)]
    kept, dropped = keep_bounded(engine, given, 5)
    assert sorted(each["resp_h"] for each in rows(kept.calls)) == [
        *["198.51.100.1"] * 3,
        *["198.51.100.3"] * 2,
    ]
    assert dropped == 4


def test_the_latest_contacts_of_a_scanner(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_OF_SOURCE", 3)
    given = [conn(float(n), resp_h=f"10.0.1.{n}") for n in range(9)]
    given.append(conn(0.0, orig_h="10.0.0.2", resp_h="10.0.1.1"))
    kept, _ = keep_bounded(engine, given, 100)
    assert sorted((each["orig_h"], each["resp_h"]) for each in rows(kept.contacts)) == [
        ("10.0.0.1", "10.0.1.6"),
        ("10.0.0.1", "10.0.1.7"),
        ("10.0.0.1", "10.0.1.8"),
        ("10.0.0.2", "10.0.1.1"),
    ]
    engine.clear()
    kept, dropped = keep_bounded(engine, given, 2)
    assert kept.contacts.count().execute() == 2
    assert dropped == 2


def test_what_the_window_judges_is_left_to_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_CALLS", 3)
    past = fold(engine, [conn(0.0), conn(1.0, resp_h="198.51.100.2")])
    for name in ("calls", "contacts", "names"):
        engine.keep(getattr(past, name), f"past_{name}")
    past = Kept(*(engine.table(f"past_{name}") for name in ("calls", "contacts", "names")))
    engine.clear()
    later = [conn(DAY)]
    # Later than the past alone, and so often that the latest are all of two days.
    later += [conn(DAY, resp_h="198.51.100.3")]
    later += [conn(2.0 + n, resp_h="198.51.100.2") for n in range(1)]
    later += [conn(3.0 + n, resp_h="198.51.100.2") for n in range(3)]
    kept = reaching_back(fold(engine, later, kept=past), past, engine.records())
    assert sorted((each["resp_h"], each["ts"] - T) for each in rows(kept.calls)) == [
        ("198.51.100.1", 0),
        ("198.51.100.1", DAY),
    ]

"""Moves: what many do is none, servers count half, and how moves make a chain."""

from __future__ import annotations

import pandas as pd
import pytest

from analyzer.detectors.moves import Chain, Moves, chains, moves

DAY = 86_400.0


def sessions(*rows: tuple[str, str, int, float], days: int = 1) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["orig_h", "resp_h", "protocol", "first"])
    return frame.assign(
        last=frame["first"] + 60.0, days=days, connections=1, bytes_out=10.0, bytes_in=20.0,
        resp_p=445,
    )  # fmt: skip


def moved(*rows: tuple[str, str, float]) -> pd.DataFrame:
    every = sessions(*((source, target, 0, time) for source, target, time in rows))
    return moves(every, {}, 0.0).rows


def pairs(found: Moves) -> list[tuple[str, str, float]]:
    rows = found.rows
    return list(zip(rows.orig_h, rows.resp_h, rows.weight, strict=True))


def test_what_many_use_is_no_move() -> None:
    users = [(f"u{k}", "files", 0, float(k)) for k in range(10)]
    found = moves(sessions(*users, ("a", "b", 0, 5.0)), {"files": 10}, 0.0)
    assert pairs(found) == [("a", "b", 1.0)]


def test_another_protocol_at_a_server_counts_half() -> None:
    users = [(f"u{k}", "files", 0, float(k)) for k in range(10)]
    found = moves(sessions(*users, ("u1", "files", 1, 5.0)), {"files": 10}, 0.0)
    assert pairs(found) == [("u1", "files", 0.5)]


def test_whom_monitors_and_worms_reach_are_no_servers() -> None:
    wide = [(source, f"h{k}", 0, float(k)) for source in "abcdef" for k in range(40)]
    users = [(f"u{k}", "files", 0, 1.0) for k in range(200)]
    found = moves(sessions(*wide, *users), {}, 0.0)
    assert len(found.rows) == len(wide)


def test_protocols_of_a_pair_are_joined() -> None:
    rows = moves(sessions(("a", "b", 3, 9.0), ("a", "b", 0, 10.0)), {}, 0.0).rows
    (row,) = rows[["protocols", "first", "connections"]].to_dict("records")
    assert row == {"protocols": (0, 3), "first": 9.0, "connections": 2}


def test_three_days_make_a_routine() -> None:
    assert moves(sessions(("a", "b", 0, 9.0), days=3), {}, 0.0).rows.empty
    assert len(moves(sessions(("a", "b", 0, 2 * DAY), days=3), {}, 0.0).rows) == 1


def test_nothing() -> None:
    found = moves(sessions(), {}, 0.0).rows
    assert found.empty
    assert chains(found, 100.0) == []


CHAINS: dict[str, tuple[list[tuple[str, str, float]], list[str]]] = {
    "one move": ([("a", "b", 0)], []),
    "two moves": ([("a", "b", 0), ("b", "c", 50)], ["a > b > c"]),
    "too late": ([("a", "b", 0), ("b", "c", 101)], []),
    "three moves": ([("a", "b", 0), ("b", "c", 50), ("c", "d", 140)], ["a > b > c > d"]),
    "one that did before": ([("b", "x", -10), ("a", "b", 0), ("b", "c", 50)], []),
    "the longer branch": (
        [("a", "b", 0), ("b", "c", 5), ("b", "d", 6), ("d", "e", 9)],
        ["a > b > d > e"],
    ),
    "back to where it came from": ([("a", "b", 0), ("b", "a", 50)], []),
    "the weightier way in": (
        [("a", "b", 0), ("b", "c", 10), ("x", "c", 20), ("c", "d", 30)],
        ["a > b > c > d"],
    ),
    "at the same time": ([("a", "b", 0), ("b", "c", 0)], []),
    "two chains": (
        [("a", "b", 0), ("b", "c", 9), ("k", "m", 20), ("m", "n", 30)],
        ["a > b > c", "k > m > n"],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains(name: str) -> None:
    rows, expected = CHAINS[name]
    assert [str(chain) for chain in chains(moved(*rows), 100.0)] == expected


def test_a_chain_keeps_its_moves() -> None:
    (chain,) = chains(moved(("a", "b", 0.0), ("x", "y", 1.0), ("b", "c", 2.0)), 100.0)
    assert chain == Chain(("a", "b", "c"), (0.0, 2.0), 2.0, (0, 2))

"""What is new on a day: to a host, to its like and to all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analyzer.baseline.novel_days import Novelty, counted

HOSTS = [f"h{n}" for n in range(10)]
DAYS = pd.Series(4, index=HOSTS)
ROLES = pd.Series({host: "server" if host < "h3" else "workstation" for host in HOSTS})


def done(*rows: tuple[str, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "day", "speaks"])


def everywhere(what: str, hosts: list[str]) -> list[tuple[str, int, str]]:
    return [(host, day, what) for host in hosts for day in range(4)]


def judge(learned: pd.DataFrame, source: str, speaks: str) -> tuple[float, float, float]:
    judgement = Novelty(learned, ["speaks"], DAYS, ROLES).judge(
        pd.DataFrame({"source": [source], "speaks": [speaks]})
    )
    return (
        float(judgement.chance[0]),
        float(judgement.own_times[0]),
        float(judgement.others_times[0]),
    )


def test_what_nobody_did_has_the_chance_of_something_new() -> None:
    learned = done(*everywhere("ssl", HOSTS))
    assert judge(learned, "h5", "irc") == pytest.approx((1 / 1040, 0.0, 0.0))


def test_what_the_host_does_every_day_is_likely() -> None:
    learned = done(*everywhere("ssl", HOSTS))
    assert judge(learned, "h5", "ssl") == pytest.approx((1.0, 4.0, 24.0))


def test_what_others_of_its_role_do_is_no_news() -> None:
    learned = done(*everywhere("ssh", ["h3", "h4", "h6"]))
    chance, own, others = judge(learned, "h5", "ssh")
    # Half of the others' days, by ten days' weight beside four of its own without.
    assert (own, others) == (0.0, 12.0)
    assert chance == pytest.approx(10 * 0.5 / 14)


def test_what_another_role_does_is_news() -> None:
    learned = done(*everywhere("ssh", ["h0", "h1", "h2"]))
    assert judge(learned, "h5", "ssh")[0] == pytest.approx(1 / 1040)


def test_where_something_is_new_every_day_nothing_is() -> None:
    odd = [(host, 1, f"odd{host}") for host in HOSTS]
    assert judge(done(*odd), "h5", "irc")[0] == pytest.approx(11 / 1040)


def test_unknown_hosts_are_compared_with_all() -> None:
    learned = done(*everywhere("ssh", ["h0", "h1", "h2"]))
    assert judge(learned, "new", "ssh")[0] == pytest.approx(12 / 40)


def test_one_row_a_host_and_day_counts_once() -> None:
    learned = done(*everywhere("ssh", ["h3"]), *everywhere("ssh", ["h3"]))
    assert judge(learned, "h3", "ssh")[1] == 4.0


def test_counted_by_one_key_and_by_several() -> None:
    one = pd.Series([3, 4], index=["a", "b"])
    two = pd.Series([5], index=pd.MultiIndex.from_tuples([("a", 1)]))
    assert counted(one, [np.array(["b", "c"])]).tolist() == [4.0, 0.0]
    assert counted(two, [np.array(["a", "a"]), np.array([1, 2])]).tolist() == [5.0, 0.0]

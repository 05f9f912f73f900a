"""A network whose connections are all known, as Zeek logs them: four days to learn."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from analyzer.baseline.baseline import Baseline
from analyzer.baseline.online import learn

from . import FIRST

DAY, HOUR = 86_400.0, 3600.0
HOSTS = tuple(f"10.0.1.{number}" for number in range(1, 13))
STEADY = "10.0.0.5"
"""A host that sends the same every five minutes."""

SERVER = "198.51.100.9"


def connection(second: float, **columns: Any) -> dict[str, Any]:  # noqa: ANN401 - of any column
    """A TLS connection of STEADY, so many seconds after midnight of the first day."""
    row: dict[str, Any] = {
        "ts": FIRST * DAY + second,
        "orig_h": STEADY,
        "orig_p": 50_000,
        "resp_h": SERVER,
        "resp_p": 443,
        "proto": "tcp",
        "service": "ssl",
        "duration": 2.0,
        "orig_bytes": 50_000,
        "resp_bytes": 5_000,
        "conn_state": "SF",
        "history": "ShADadFf",
        "orig_pkts": 40,
        "resp_pkts": 40,
    }
    return row | columns


def steady(days: int, first: int = 0) -> list[dict[str, Any]]:
    """What STEADY does on some days."""
    return [connection(first * DAY + 300.0 * number) for number in range(288 * days)]


def work(days: int, first: int = 0) -> list[dict[str, Any]]:
    """What the other hosts do on some days: sixty connections each from eight to eighteen."""
    rng = np.random.default_rng(first)
    rows = []
    for day in range(first, first + days):
        for number, host in enumerate(HOSTS):
            for _ in range(60):
                sent = int(rng.lognormal(7.5, 0.8))
                rows.append(
                    connection(
                        day * DAY + rng.uniform(8 * HOUR, 18 * HOUR),
                        orig_h=host,
                        resp_h=f"198.51.100.{10 + (number + int(rng.integers(5))) % 9}",
                        orig_bytes=sent,
                        resp_bytes=int(rng.lognormal(9.0, 1.2)),
                        duration=float(rng.lognormal(0.5, 0.8)),
                        orig_pkts=sent // 1400 + 5,
                    )
                )
    return rows


def batch(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a batch."""
    return pd.DataFrame(rows)


@cache
def learned(days: int = 4) -> Baseline:
    """The network, learned for some days."""
    return learn(Baseline(), batch(steady(days) + work(days)), learned=(FIRST + days) * DAY)

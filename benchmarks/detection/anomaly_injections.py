"""Anomalies that are put into an office's day: kinds that nothing was tuned on.

Each kind is a few dozen connections (or five minutes) of hosts chosen at random, with the values
that the tools they stand for show: uploads of 0.3 to 20 GB, control channels and shells on ports
that nobody uses, work on the file server at night, sessions that last half a day, protocols that
the office does not speak, scans, floods of small connections, downloads of images.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from analyzer.baseline.bins import SHAPES, bin_of
from analyzer.baseline.roles import WORKSTATION, roles

Values = dict[str, object]
_MB = 1e6


def _row(rng: np.random.Generator, **values: object) -> Values:
    """A connection at an hour of work, outside, answered, with sizes of a small exchange."""
    sent = float(values.pop("sent", rng.lognormal(7.5, 1.0)))  # type: ignore[arg-type]
    got = float(values.pop("got", rng.lognormal(8.5, 1.5)))  # type: ignore[arg-type]
    row: Values = {
        "peer": f"198.18.{rng.integers(256)}.{rng.integers(1, 255)}",
        "proto": "tcp",
        "port": 443,
        "application": "ssl",
        "outside": True,
        "hour": int(rng.integers(8, 18)),
        "answered": True,
        "orig_bytes": sent,
        "resp_bytes": got,
        "lasted": rng.lognormal(0.0, 1.0),
        "packets": np.ceil(sent / 1400.0) + 4.0,
    }
    return row | values


def _upload(rng: np.random.Generator) -> Values:
    sent = float(np.exp(rng.uniform(np.log(300 * _MB), np.log(20_000 * _MB))))
    return _row(rng, sent=sent, got=sent / 2500.0, lasted=sent / rng.uniform(1e6, 2e7))


def _odd_port(rng: np.random.Generator) -> Values:
    port = int(rng.choice([1337, 4444, 6666, 8181, 9001, 31337, 50050]))
    return _row(rng, port=port, application="", lasted=rng.lognormal(3.0, 1.5))


def _at_night(rng: np.random.Generator) -> Values:
    return _row(
        rng,
        hour=int(rng.integers(1, 5)),
        port=445,
        application="gssapi,smb",
        outside=False,
        peer="10.20.0.11",
        sent=rng.lognormal(9.5, 0.8),
        got=rng.lognormal(13.0, 1.5),
    )


def _long(rng: np.random.Generator) -> Values:
    hours = rng.uniform(6.0, 20.0)
    sent = hours * 3600.0 * rng.uniform(20.0, 200.0)
    return _row(rng, sent=sent, got=sent * rng.uniform(0.5, 3.0), lasted=hours * 3600.0)


def _protocol(rng: np.random.Generator) -> Values:
    name, proto, port = [
        ("irc", "tcp", 6667),
        ("socks", "tcp", 1080),
        ("telnet", "tcp", 23),
        ("ftp", "tcp", 21),
        ("ssh", "tcp", 443),
        ("mysql", "tcp", 3306),
        ("bittorrent", "udp", 6881),
    ][int(rng.integers(7))]
    return _row(rng, application=name, proto=proto, port=port, lasted=rng.lognormal(3.0, 1.0))


def _scan(rng: np.random.Generator) -> Values:
    nothing = {"sent": 0.0, "got": 0.0, "application": "", "answered": False, "packets": 1.0}
    port = int(rng.integers(1, 10_000))
    peer = f"10.20.{rng.integers(0, 4)}.{rng.integers(1, 255)}"
    return _row(rng, port=port, outside=False, peer=peer, lasted=0.0, **nothing)


def _flood(rng: np.random.Generator) -> Values:
    return _row(
        rng,
        port=int(rng.choice([80, 53, 123])),
        proto="udp",
        application="",
        sent=1_200.0,
        got=0.0,
        answered=False,
        lasted=0.0,
        peer="198.18.7.7",
        packets=1.0,
    )


def _image(rng: np.random.Generator) -> Values:
    got = float(np.exp(rng.uniform(np.log(3_000 * _MB), np.log(60_000 * _MB))))
    return _row(rng, got=got, sent=got / 900.0, lasted=got / 3e7, packets=got / 2800.0, port=80)


KINDS: dict[str, Callable[[np.random.Generator], Values]] = {
    "uploads": _upload,
    "odd ports": _odd_port,
    "work at night": _at_night,
    "long sessions": _long,
    "odd protocols": _protocol,
    "scans": _scan,
    "floods": _flood,
    "large downloads": _image,
}
"""Kinds of anomalous connections."""


def injected(
    hosts: list[str], count: int, rng: np.random.Generator, kinds: list[str] | None = None
) -> pd.DataFrame:
    """Anomalous connections, as many of each kind, of hosts chosen at random.

    Args:
        hosts: who may do it.
        count: how many of each kind.
        rng: decides the rest.
        kinds: which; all by default.
    """
    rows = [
        make(rng) | {"source": str(rng.choice(hosts)), "kind": kind}
        for kind, make in KINDS.items()
        if kinds is None or kind in kinds
        for _ in range(count)
    ]
    frame = pd.DataFrame(rows)
    columns = {"bytes_out": "orig_bytes", "bytes_in": "resp_bytes", "duration": "lasted"}
    for metric in SHAPES:
        frame[metric] = bin_of(frame[columns.get(metric, "packets")], metric)
    return frame


def users(baseline: object) -> list[str]:
    """The workstations of a baseline."""
    role = roles(baseline)  # type: ignore[arg-type]
    return sorted(role.index[role == WORKSTATION])

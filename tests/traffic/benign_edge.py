"""The office seen from outside: visitors of its web server, and scanners' background noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.records import Outcome
from tests.traffic.schedule import diurnal

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

_NOISE_PORTS = (
    22,
    23,
    80,
    443,
    445,
    1433,
    2323,
    3306,
    3389,
    5060,
    5555,
    5900,
    6379,
    8080,
    8443,
    9200,
)


def web_server(recorder: Recorder) -> None:
    """Visitors from anywhere to the office's own web server."""
    network, rng = recorder.network, recorder.rng
    volume = 40.0 * len(network.users) * network.scale
    _, ts = diurnal(rng, network.window, np.array([volume]), 2.0)
    visitors = network.outside_addresses(rng, int(50 + volume / 8))
    secure = rng.random(len(ts)) < 0.85
    for chosen, port, service in ((secure, 443, "ssl"), (~secure, 80, "http")):
        rows = int(chosen.sum())
        recorder.tcp(
            ts[chosen],
            visitors[rng.integers(0, len(visitors), rows)],
            network.server("web"),
            port,
            service=service,
            duration=rng.lognormal(1.0, 1.3, rows),
            orig_bytes=rng.integers(400, 3000, rows),
            resp_bytes=rng.lognormal(9.5, 1.5, rows).astype("i8") + 200,
            outcome=np.where(rng.random(rows) < 0.08, Outcome.ORIGINATOR_RESET, Outcome.CLOSED),
            server_name=network.texts.code("www.larkfield.example") if service == "ssl" else None,
        )


def internet_noise(recorder: Recorder) -> None:
    """Scanners' probes of the office's outside address, some 2,000 a day: S0, a few refused."""
    network, rng = recorder.network, recorder.rng
    rows = rng.poisson(2000.0 * network.window.days * network.scale)
    ts = network.window.start + rng.random(rows) * network.window.seconds
    scanners = network.outside_addresses(rng, 250)
    weight = rng.pareto(1.2, 250) + 0.01
    ports = np.where(
        rng.random(rows) < 0.7, rng.choice(_NOISE_PORTS, rows), rng.integers(1, 65535, rows)
    )
    # Port 80 and 443 are open to everyone; everything else is dropped or refused.
    open_port = np.isin(ports, (80, 443))
    closed = np.where(rng.random(rows) < 0.1, Outcome.REFUSED, Outcome.NO_ANSWER)
    recorder.tcp(
        ts,
        rng.choice(scanners, rows, p=weight / weight.sum()),
        network.server("web"),
        ports,
        outcome=np.where(open_port, Outcome.HALF_OPEN_PROBE, closed),
        syn_bytes=44,
    )

"""Command and control: beacons, dead ones, and tunnels in ICMP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.records import Array, Outcome
from tests.traffic.resolution import A
from tests.traffic.truth import Scene, Truth

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder


def _ticks(scene: Scene, interval: float, jitter: float, loss: float, duration: float) -> Array:
    """Times `interval` seconds apart, each sleep longer or shorter by up to `jitter`."""
    count = int(duration / interval) + 1
    sleeps = interval * (1.0 + jitter * scene.rng.uniform(-1.0, 1.0, count))
    ts = scene.begin + np.cumsum(sleeps) - sleeps[0]
    kept: Array = ts[(ts <= scene.begin + duration) & (scene.rng.random(count) >= loss)]
    return kept


def _until_end(scene: Scene, duration: float | None) -> float:
    return scene.network.window.end - scene.begin if duration is None else duration


def beacon(
    recorder: Recorder,
    *,
    interval: float = 300.0,
    jitter: float = 0.1,
    loss: float = 0.0,
    duration: float | None = None,
    server_name: str = "cdn-status.brackenfeed.com",
    port: int = 443,
    sent: int = 700,
    received: int = 420,
    source: str | None = None,
    begin: float | None = 600.0,
) -> list[Truth]:
    """An implant's calls home over TLS every `interval` seconds, by default until the end."""
    scene = Scene(recorder, "beacon", source, begin)
    rng, network = scene.rng, scene.network
    ts = _ticks(scene, interval, jitter, loss, _until_end(scene, duration))
    address = network.outside_address(rng)
    name = network.texts.code(server_name)
    answer = network.answers.add((address,), (3600.0,), 16)
    recorder.lookup(
        ts[:1] - 0.05, scene.source, network.server("resolver"), name, A, answers=answer
    )
    recorder.tcp(
        ts,
        scene.source,
        network.addresses.code(address),
        port,
        service="ssl",
        duration=rng.lognormal(-0.9, 0.2, len(ts)),
        orig_bytes=sent + rng.integers(0, 24, len(ts)),
        resp_bytes=received + rng.integers(0, 24, len(ts)),
        server_name=name,
    )
    return scene.truth("T1071.001", destination=address, port=port)


def failed_beacon(
    recorder: Recorder,
    *,
    interval: float = 60.0,
    jitter: float = 0.3,
    duration: float | None = None,
    port: int = 1177,
    source: str | None = None,
    begin: float | None = 600.0,
) -> list[Truth]:
    """An implant that keeps trying a control server that no longer answers: S0 only."""
    scene = Scene(recorder, "failed_beacon", source, begin)
    ts = _ticks(scene, interval, jitter, 0.0, _until_end(scene, duration))
    address = scene.network.outside_address(scene.rng)
    recorder.tcp(
        ts,
        scene.source,
        scene.network.addresses.code(address),
        port,
        outcome=Outcome.NO_ANSWER,
        attempts=3,
    )
    return scene.truth("T1571", destination=address, port=port)


def icmp_tunnel(
    recorder: Recorder,
    *,
    exchanges: int = 12,
    packets: int = 900,
    payload: int = 1200,
    duration: float = 7200.0,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """Data in echo requests and replies: `exchanges` bursts of `packets` of `payload` bytes."""
    scene = Scene(recorder, "icmp_tunnel", source, begin)
    address = scene.network.outside_address(scene.rng)
    sent = packets + scene.rng.integers(0, 50, exchanges)
    recorder.echo(
        scene.spread(exchanges, duration),
        scene.source,
        scene.network.addresses.code(address),
        packets=sent,
        replies=sent,
        payload=payload,
        interval=0.05,
    )
    return scene.truth("T1095", destination=address)

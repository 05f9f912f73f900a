"""Scans: of addresses, of ports, of both; fast and slow; refused, unanswered and answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.connections import PROBE_SYN_BYTES
from tests.traffic.records import Array, Outcome, Values
from tests.traffic.truth import Scene, Truth

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

DISCOVERY = "T1046"
REMOTE_SYSTEM_DISCOVERY = "T1018"
_MOST_TARGETS = 16 * 254


def _block(scene: Scene, targets: int) -> Array:
    """Addresses in a part of the office's network where nobody lives, in random order."""
    if targets > _MOST_TARGETS:
        raise ValueError(f"a scan has room for {_MOST_TARGETS} targets, not {targets}")
    offsets = scene.rng.permutation(max(targets, 254))[:targets]
    return scene.network.addresses.codes(
        f"10.20.{240 + k // 254}.{1 + k % 254}" for k in offsets.tolist()
    )


def _probe(
    scene: Scene, ts: Array, targets: Values, ports: Values, *, answered: float, refused: float
) -> None:
    draw = scene.rng.random(len(ts))
    outcome = np.where(draw < answered + refused, Outcome.REFUSED, Outcome.NO_ANSWER)
    outcome = np.where(draw < answered, Outcome.HALF_OPEN_PROBE, outcome)
    scene.recorder.tcp(ts, scene.source, targets, ports, outcome=outcome, syn_bytes=PROBE_SYN_BYTES)


def address_scan(
    recorder: Recorder,
    *,
    targets: int = 120,
    port: int = 445,
    duration: float = 60.0,
    answered: float = 0.02,
    refused: float = 0.1,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """One port on many addresses within a minute, most of them dead."""
    scene = Scene(recorder, "address_scan", source, begin)
    _probe(
        scene,
        scene.spread(targets, duration),
        _block(scene, targets),
        port,
        answered=answered,
        refused=refused,
    )
    return scene.truth(DISCOVERY, port=port)


def slow_scan(
    recorder: Recorder,
    *,
    targets: int = 20,
    port: int = 22,
    duration: float = 6 * 3600.0,
    answered: float = 0.0,
    refused: float = 0.3,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """One port on 12 to 60 addresses over hours."""
    scene = Scene(recorder, "slow_scan", source, begin)
    _probe(
        scene,
        scene.spread(targets, duration),
        _block(scene, targets),
        port,
        answered=answered,
        refused=refused,
    )
    return scene.truth(DISCOVERY, port=port)


def port_scan(
    recorder: Recorder,
    *,
    ports: int = 200,
    duration: float = 30.0,
    answered: float = 0.03,
    refused: float = 0.9,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """Many ports of one living host, mostly refused."""
    scene = Scene(recorder, "port_scan", source, begin)
    target = scene.network.server("files")
    numbers = scene.rng.permutation(np.arange(1, max(1025, ports + 1)))[:ports]
    _probe(
        scene, scene.spread(ports, duration), target, numbers, answered=answered, refused=refused
    )
    return scene.truth(DISCOVERY, destination=scene.network.addresses.texts[target])


def block_scan(
    recorder: Recorder,
    *,
    targets: int = 20,
    ports: int = 20,
    duration: float = 120.0,
    answered: float = 0.02,
    refused: float = 0.3,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """Every one of some ports on every one of some addresses."""
    scene = Scene(recorder, "block_scan", source, begin)
    numbers = scene.rng.choice(np.arange(1, 10000), ports, replace=False)
    hosts = _block(scene, targets)
    pairs = scene.rng.permutation(targets * ports)
    ts = scene.spread(targets * ports, duration)
    _probe(
        scene, ts, hosts[pairs // ports], numbers[pairs % ports], answered=answered, refused=refused
    )
    return scene.truth(DISCOVERY)


def answered_scan(
    recorder: Recorder,
    *,
    targets: int = 60,
    port: int = 80,
    duration: float = 120.0,
    reset: float = 0.4,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """One port on many outside addresses that all answer: SF, or RSTO for the share `reset`."""
    scene = Scene(recorder, "answered_scan", source, begin)
    rng = scene.rng
    recorder.tcp(
        scene.spread(targets, duration),
        scene.source,
        scene.network.outside_addresses(rng, targets),
        port,
        service="http" if port == 80 else None,
        duration=rng.lognormal(-1.0, 0.4, targets),
        orig_bytes=120,
        resp_bytes=rng.integers(200, 900, targets),
        outcome=np.where(rng.random(targets) < reset, Outcome.ORIGINATOR_RESET, Outcome.CLOSED),
    )
    return scene.truth(DISCOVERY, port=port)


def udp_scan(
    recorder: Recorder,
    *,
    targets: int = 80,
    port: int = 161,
    duration: float = 60.0,
    answered: float = 0.02,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """One UDP port on many addresses, nearly none answering."""
    scene = Scene(recorder, "udp_scan", source, begin)
    replies = np.where(scene.rng.random(targets) < answered, 90, 0)
    ts = scene.spread(targets, duration)
    recorder.udp(ts, scene.source, _block(scene, targets), port, orig_bytes=42, resp_bytes=replies)
    return scene.truth(DISCOVERY, port=port)


def icmp_sweep(
    recorder: Recorder,
    *,
    targets: int = 100,
    duration: float = 30.0,
    answered: float = 0.05,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """An echo request to each of many addresses."""
    scene = Scene(recorder, "icmp_sweep", source, begin)
    replies = (scene.rng.random(targets) < answered).astype("i8")
    recorder.echo(
        scene.spread(targets, duration), scene.source, _block(scene, targets), replies=replies
    )
    return scene.truth(REMOTE_SYSTEM_DISCOVERY)

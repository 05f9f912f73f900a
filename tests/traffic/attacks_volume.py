"""Bursts, exfiltration, and things a host never did before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.schedule import HOUR
from tests.traffic.truth import Scene, Truth

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder
    from tests.traffic.records import Array


def connection_burst(
    recorder: Recorder,
    *,
    connections: int = 3000,
    duration: float = 120.0,
    port: int = 443,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """A flood of small connections from one host to the office's web server."""
    scene = Scene(recorder, "connection_burst", source, begin)
    target = scene.network.server("web")
    recorder.tcp(
        scene.spread(connections, duration),
        scene.source,
        target,
        port,
        service="ssl" if port == 443 else None,
        duration=scene.rng.lognormal(-3.0, 0.5, connections),
        orig_bytes=scene.rng.integers(200, 500, connections),
        resp_bytes=scene.rng.integers(300, 900, connections),
    )
    return scene.truth("T1499", destination=scene.network.addresses.texts[target], port=port)


def _upload(
    scene: Scene, ts: Array, size: Array, port: int, *, technique: str, address: str, rate: float
) -> list[Truth]:
    scene.recorder.tcp(
        ts,
        scene.source,
        scene.network.addresses.code(address),
        port,
        service="ssl" if port == 443 else None,
        duration=size / rate,
        orig_bytes=size,
        resp_bytes=size // 2500 + 4000,
    )
    return scene.truth(technique, destination=address, port=port)


def byte_burst(
    recorder: Recorder,
    *,
    size: int = 800_000_000,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """A sudden transfer of `size` bytes from a workstation to the office's file server."""
    scene = Scene(recorder, "byte_burst", source, begin)
    address = scene.network.addresses.texts[scene.network.server("files")]
    return _upload(
        scene,
        scene.spread(1, 1.0),
        np.array([size]),
        445,
        technique="T1074.002",
        address=address,
        rate=6e7,
    )


def exfiltration(
    recorder: Recorder,
    *,
    size: int = 400_000_000,
    port: int = 443,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """`size` bytes sent to a new outside address in one connection."""
    scene = Scene(recorder, "exfiltration", source, begin)
    address = scene.network.outside_address(scene.rng)
    return _upload(
        scene,
        scene.spread(1, 1.0),
        np.array([size]),
        port,
        technique="T1048",
        address=address,
        rate=2e6,
    )


def chunked_exfiltration(
    recorder: Recorder,
    *,
    chunk: int = 5_000_000,
    chunks: int = 60,
    duration: float = 6 * HOUR,
    port: int = 443,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """The same amount of data in `chunks` pieces of about `chunk` bytes over hours."""
    scene = Scene(recorder, "chunked_exfiltration", source, begin)
    address = scene.network.outside_address(scene.rng)
    size = (chunk * scene.rng.uniform(0.95, 1.0, chunks)).astype("i8")
    return _upload(
        scene,
        scene.spread(chunks, duration),
        size,
        port,
        technique="T1030",
        address=address,
        rate=2e6,
    )


def off_hours(
    recorder: Recorder,
    *,
    connections: int = 40,
    hour: float = 3.0,
    duration: float = HOUR,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """A user's host at work on the file server at `hour` o'clock in the night, UTC."""
    scene = Scene(recorder, "off_hours", source, hour * HOUR if begin is None else begin)
    target = scene.network.server("files")
    recorder.tcp(
        scene.spread(connections, duration),
        scene.source,
        target,
        445,
        service="gssapi,smb",
        duration=scene.rng.lognormal(2.0, 0.8, connections),
        orig_bytes=scene.rng.integers(4000, 20000, connections),
        resp_bytes=scene.rng.lognormal(13.0, 1.5, connections).astype("i8"),
    )
    return scene.truth("T1078", destination=scene.network.addresses.texts[target], port=445)


def new_port(
    recorder: Recorder,
    *,
    port: int = 4444,
    connections: int = 15,
    duration: float = HOUR,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """Connections to an outside address on a port the office never uses."""
    scene = Scene(recorder, "new_port", source, begin)
    address = scene.network.outside_address(scene.rng)
    recorder.tcp(
        scene.spread(connections, duration),
        scene.source,
        scene.network.addresses.code(address),
        port,
        duration=scene.rng.lognormal(2.5, 0.6, connections),
        orig_bytes=scene.rng.integers(800, 6000, connections),
        resp_bytes=scene.rng.integers(400, 9000, connections),
    )
    return scene.truth("T1571", destination=address, port=port)


def new_protocol(
    recorder: Recorder,
    *,
    connections: int = 10,
    duration: float = HOUR,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """IRC to an outside address, in an office where nobody speaks it."""
    scene = Scene(recorder, "new_protocol", source, begin)
    address = scene.network.outside_address(scene.rng)
    recorder.tcp(
        scene.spread(connections, duration),
        scene.source,
        scene.network.addresses.code(address),
        6667,
        service="irc",
        server_first=True,
        duration=scene.rng.lognormal(4.5, 0.5, connections),
        orig_bytes=scene.rng.integers(300, 1500, connections),
        resp_bytes=scene.rng.integers(3000, 12000, connections),
    )
    return scene.truth("T1071", destination=address, port=6667)

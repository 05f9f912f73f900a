"""Moving from host to host, and guessing passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.truth import Scene, Truth

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

_ADMIN_PORTS = ((445, "gssapi,smb"), (135, "dce_rpc"), (3389, "rdp"), (5985, "http"))


def lateral_movement(
    recorder: Recorder,
    *,
    targets: int = 8,
    duration: float = 3600.0,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """One user's host opens administrative services (SMB, RPC, RDP, WinRM) of `targets` others."""
    scene = Scene(recorder, "lateral_movement", source, begin)
    rng, network = scene.rng, scene.network
    others = network.ipv4[network.users]
    others = others[others != scene.source]
    if targets > len(others):
        raise ValueError(f"the office has {len(others)} other users' hosts, not {targets}")
    hosts = rng.choice(others, targets, replace=False)
    ts = scene.spread(len(hosts), duration)
    for delay, (port, service) in enumerate(_ADMIN_PORTS):
        recorder.tcp(
            ts + delay * 4.0,
            scene.source,
            hosts,
            port,
            service=service,
            duration=rng.lognormal(1.5, 0.8, len(hosts)),
            orig_bytes=rng.lognormal(9.0, 1.0, len(hosts)).astype("i8") + 1000,
            resp_bytes=rng.lognormal(9.0, 1.0, len(hosts)).astype("i8") + 1000,
        )
    return scene.truth("T1021")


def brute_force(
    recorder: Recorder,
    *,
    attempts: int = 150,
    duration: float = 900.0,
    port: int = 22,
    source: str | None = None,
    begin: float | None = None,
) -> list[Truth]:
    """Password guesses against ssh on the office's web server, each of the same small size."""
    scene = Scene(recorder, "brute_force", source, begin)
    target = scene.network.server("web")
    recorder.tcp(
        scene.spread(attempts, duration),
        scene.source,
        target,
        port,
        service="ssh" if port == 22 else None,
        server_first=True,
        duration=scene.rng.normal(2.4, 0.15, attempts),
        orig_bytes=1500 + 16 * scene.rng.integers(0, 4, attempts),
        resp_bytes=np.full(attempts, 2200),
    )
    return scene.truth("T1110.001", destination=scene.network.addresses.texts[target], port=port)

"""Putting a window of an office's traffic together."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from tests.traffic import (
    attacks_access,
    attacks_control,
    attacks_names,
    attacks_scan,
    attacks_volume,
    benign_edge,
    benign_machines,
    benign_office,
    benign_people,
    benign_web,
)
from tests.traffic.frames import Traffic, frames
from tests.traffic.network import Network
from tests.traffic.recorder import Recorder
from tests.traffic.schedule import MONDAY, Window
from tests.traffic.truth import Attack, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.traffic.records import Batch

BENIGN: tuple[Callable[[Recorder], None], ...] = (
    benign_web.browsing,
    benign_machines.clocks,
    benign_machines.telemetry,
    benign_machines.updates,
    benign_machines.backups,
    benign_machines.monitoring,
    benign_office.mail,
    benign_office.files_and_directory,
    benign_office.printing,
    benign_office.leases,
    benign_office.neighbours,
    benign_people.video_calls,
    benign_people.development,
    benign_people.peer_to_peer,
    benign_people.scanning_names,
    benign_edge.web_server,
)
ATTACKS: dict[str, Callable[..., list[Truth]]] = {
    function.__name__: function
    for function in (
        attacks_scan.address_scan,
        attacks_scan.slow_scan,
        attacks_scan.port_scan,
        attacks_scan.block_scan,
        attacks_scan.answered_scan,
        attacks_scan.udp_scan,
        attacks_scan.icmp_sweep,
        attacks_volume.connection_burst,
        attacks_volume.byte_burst,
        attacks_names.dns_tunnel,
        attacks_names.slow_dns_tunnel,
        attacks_names.dga,
        attacks_control.beacon,
        attacks_control.failed_beacon,
        attacks_volume.exfiltration,
        attacks_volume.chunked_exfiltration,
        attacks_access.lateral_movement,
        attacks_access.brute_force,
        attacks_control.icmp_tunnel,
        attacks_volume.off_hours,
        attacks_volume.new_port,
        attacks_volume.new_protocol,
    )
}


def _stream(seed: int, activity: str, occurrence: int = 0) -> np.random.Generator:
    """The random stream of one activity, the same whatever else happens in the office."""
    key = (zlib.crc32(activity.encode()), occurrence)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def office(
    seed: int,
    *,
    hosts: int = 40,
    days: float = 1.0,
    start: float = MONDAY,
    attacks: Sequence[str | Attack] = (),
    scale: float = 1.0,
    internet_noise: bool = False,
) -> Traffic:
    """Generate an office's traffic.

    `hosts` counts servers and users; `start` is in seconds since the epoch (UTC); `scale`
    multiplies what people do (not what clocks do); `attacks` are names or `Attack`s, and every
    one leaves the benign records as they are without it.
    """
    window = Window(start, days)
    network = Network(_stream(seed, "network"), window, hosts, scale)
    connections: list[Batch] = []
    lookups: list[Batch] = []
    handshakes: list[Batch] = []

    def collect(recorder: Recorder) -> None:
        connections.extend(recorder.connections)
        lookups.extend(recorder.lookups)
        handshakes.extend(recorder.handshakes)

    activities = (*BENIGN, benign_edge.internet_noise) if internet_noise else BENIGN
    for activity in activities:
        recorder = Recorder(network, _stream(seed, activity.__name__))
        activity(recorder)
        collect(recorder)

    truth: list[Truth] = []
    occurrences: dict[str, int] = {}
    for given in attacks:
        attack = Attack(given) if isinstance(given, str) else given
        if attack.name not in ATTACKS:
            raise ValueError(f"no attack is named {attack.name!r}; there are {', '.join(ATTACKS)}")
        occurrence = occurrences[attack.name] = occurrences.get(attack.name, 0) + 1
        recorder = Recorder(network, _stream(seed, attack.name, occurrence))
        truth += ATTACKS[attack.name](recorder, **attack.parameters)
        collect(recorder)
    return frames(network, connections, lookups, handshakes, truth)

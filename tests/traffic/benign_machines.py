"""Traffic machines make by themselves: clocks, telemetry, updates, backups, monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.records import Array, Outcome
from tests.traffic.resolution import resolve
from tests.traffic.schedule import HOUR, periodic

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

_TELEMETRY = (
    # name, seconds between reports, jitter (share), payload bytes out and in, share of hosts
    ("telemetry.glazeworks.com", 300.0, 0.02, 1800, 900, 0.9),
    ("presence.chatterbarn.io", 60.0, 0.05, 420, 350, 0.5),
    ("sync.driftdrive.com", 180.0, 0.1, 900, 1200, 0.4),
    ("agent.wardenpost.net", 600.0, 0.01, 2600, 800, 1.0),
    ("metrics.papertrunk.app", 900.0, 0.2, 3200, 500, 0.3),
    ("license.draftsmith.com", 3600.0, 0.0, 1400, 2100, 0.15),
    ("push.pingharbor.net", 1680.0, 0.03, 300, 280, 0.6),
)
_MONITORED = (
    ("files", 445),
    ("directory", 389),
    ("mail", 25),
    ("web", 443),
    ("printer1", 9100),
    ("backup", 8443),
)


def clocks(recorder: Recorder) -> None:
    """NTP polls every 64 to 1024 s: servers ask outside, users ask the directory server."""
    network, rng = recorder.network, recorder.rng
    pool = [network.add_server(rng, f"{k}.pool.timekeepers.org", ttl=3600.0) for k in range(4)]
    interval = 64.0 * 2.0 ** rng.integers(0, 5, len(network.hosts))
    host, ts = periodic(rng, network.window, interval, jitter=0.01)
    awake = network.awake(host, ts)
    host, ts = host[awake], ts[awake]
    outside = host < network.users[0]
    server = np.array(pool)[host[outside] % 4]
    resolve(recorder, host[outside], server, ts[outside])
    target = np.full(len(host), network.server("directory"))
    # NTP stays on IPv4 here, whichever family the name resolved to.
    target[outside] = network.servers.arrays()["ipv4"][server, 0]
    lost = rng.random(len(ts)) < 0.005
    recorder.udp(
        ts,
        network.ipv4[host],
        target,
        123,
        service="ntp",
        orig_bytes=48,
        resp_bytes=np.where(lost, 0, 48),
        orig_p=123,
    )


def telemetry(recorder: Recorder) -> None:
    """Agents that report to fixed servers by the clock, many hosts to the same one."""
    network, rng = recorder.network, recorder.rng
    for name, interval, jitter, sent, received, share in _TELEMETRY:
        server = network.add_server(rng, name, ttl=120.0, ipv6=share > 0.5, quic=False)
        members = network.users[rng.random(len(network.users)) < share]
        pace = interval * rng.uniform(0.97, 1.03, len(members))
        number, ts = periodic(rng, network.window, pace, jitter=jitter)
        host = members[number]
        awake = network.awake(host, ts)
        _report(
            recorder,
            host[awake],
            np.full(int(awake.sum()), server),
            ts[awake],
            sent=sent,
            received=received,
        )


def _report(
    recorder: Recorder, host: Array, server: Array, ts: Array, *, sent: int, received: int
) -> None:
    rng = recorder.rng
    orig, resp = resolve(recorder, host, server, ts)
    outcome = np.where(rng.random(len(ts)) < 0.004, Outcome.NO_ANSWER, Outcome.CLOSED)
    recorder.tcp(
        ts,
        orig,
        resp,
        443,
        service="ssl",
        duration=rng.lognormal(-0.7, 0.5, len(ts)),
        orig_bytes=sent + rng.integers(0, 200, len(ts)),
        resp_bytes=received + rng.integers(0, 100, len(ts)),
        outcome=outcome,
        attempts=3,
        server_name=recorder.network.servers.arrays()["name"][server],
    )


def updates(recorder: Recorder) -> None:
    """Update checks a few times a day, some followed by a large download."""
    network, rng = recorder.network, recorder.rng
    checks = [
        network.add_server(rng, f"update.{zone}", ttl=600.0)
        for zone in ("glazeworks.com", "inkwellpdf.com")
    ]
    mirrors = [
        network.add_server(rng, f"dl{k}.packagequay.net", ttl=900.0, ipv6=True) for k in range(3)
    ]
    number, ts = periodic(
        rng, network.window, rng.uniform(3, 9, len(network.users)) * HOUR, jitter=0.15
    )
    host = network.users[number]
    awake = network.awake(host, ts)
    host, ts = host[awake], ts[awake]
    _report(recorder, host, rng.choice(checks, len(host)), ts, sent=2200, received=5400)
    loads = rng.random(len(ts)) < 0.3
    host, ts = host[loads], ts[loads] + 5.0
    server = rng.choice(mirrors, len(host))
    orig, resp = resolve(recorder, host, server, ts)
    size = rng.lognormal(16.5, 1.2, len(ts)).astype("i8")
    recorder.tcp(
        ts,
        orig,
        resp,
        80,
        service="http",
        duration=size / 6e6 + 0.5,
        orig_bytes=rng.integers(300, 700, len(ts)),
        resp_bytes=size,
    )


def backups(recorder: Recorder) -> None:
    """Nightly gigabytes to the local backup server, and from there to a known cloud service."""
    network, rng = recorder.network, recorder.rng
    vault = network.add_server(rng, "eu-1.vaultbarrow.com", ttl=300.0)
    midnights = network.window.midnights()
    sources = np.array([network.server(role) for role in ("files", "mail", "directory", "web")])
    ts = (
        midnights[:, None]
        + 1.5 * HOUR
        + np.arange(4) * 1200.0
        + rng.uniform(0, 30, (len(midnights), 4))
    ).ravel()
    size = rng.lognormal(21.5, 0.15, len(ts)).astype("i8")
    recorder.tcp(
        ts,
        np.tile(sources, len(midnights)),
        network.server("backup"),
        8443,
        service="ssl",
        duration=size / 9e7,
        orig_bytes=size,
        resp_bytes=size // 4000,
    )
    later = midnights + 3.5 * HOUR + rng.uniform(0, 30, len(midnights))
    keeper = np.flatnonzero(network.ipv4 == network.server("backup"))
    orig, resp = resolve(
        recorder, np.full(len(later), keeper[0]), np.full(len(later), vault), later
    )
    size = rng.lognormal(22.2, 0.1, len(later)).astype("i8")
    recorder.tcp(
        later,
        orig,
        resp,
        443,
        service="ssl",
        duration=size / 1.1e7,
        orig_bytes=size,
        resp_bytes=size // 3000,
        server_name=network.servers.arrays()["name"][vault],
    )


def monitoring(recorder: Recorder) -> None:
    """The monitoring server polls every host and every service, some of them down."""
    network, rng = recorder.network, recorder.rng
    monitor = network.server("monitor")
    watched = network.hosts[network.ipv4 != monitor]
    number, ts = periodic(rng, network.window, np.full(len(watched), 300.0), jitter=0.001)
    host = watched[number]
    up = network.awake(host, ts)
    recorder.echo(
        ts, monitor, network.ipv4[host], packets=2, replies=np.where(up, 2, 0), payload=56
    )
    agentless = rng.random(len(network.hosts)) < 0.1
    recorder.tcp(
        ts + 1.0,
        monitor,
        network.ipv4[host],
        10050,
        duration=0.02,
        orig_bytes=90,
        resp_bytes=rng.integers(200, 900, len(ts)),
        outcome=np.where(
            up, np.where(agentless[host], Outcome.REFUSED, Outcome.CLOSED), Outcome.NO_ANSWER
        ),
        attempts=2,
    )
    answered = up & ~agentless[host]
    recorder.udp(
        ts + 2.0,
        monitor,
        network.ipv4[host],
        161,
        service="snmp",
        orig_bytes=43,
        resp_bytes=np.where(answered, 120, 0),
    )
    number, ts = periodic(rng, network.window, np.full(len(_MONITORED) + 1, 60.0), jitter=0.001)
    addresses = np.array(
        [*(network.server(role) for role, _ in _MONITORED), network.server("printer2")]
    )
    ports = np.array([*(port for _, port in _MONITORED), 631])
    # The last service is one nobody runs any more and nobody took off the list.
    down = number == len(_MONITORED)
    recorder.tcp(
        ts,
        monitor,
        addresses[number],
        ports[number],
        duration=0.01,
        orig_bytes=0,
        resp_bytes=0,
        outcome=np.where(down, Outcome.REFUSED, Outcome.CLOSED),
    )

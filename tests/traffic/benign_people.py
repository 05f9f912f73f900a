"""People with habits of their own: calls, development, peer-to-peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic import names
from tests.traffic.records import Outcome
from tests.traffic.resolution import resolve
from tests.traffic.schedule import diurnal

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

DEVELOPER = 0
PEER_TO_PEER_USER = 1


def video_calls(recorder: Recorder) -> None:
    """Every eighth user's calls: minutes to an hour of UDP both ways to a media relay."""
    network, rng = recorder.network, recorder.rng
    relay = network.add_server(rng, "relay.lanterncall.com", ttl=60.0)
    callers = network.users[2::8]
    number, begin = diurnal(rng, network.window, np.full(len(callers), 3.0 * network.scale))
    host = callers[number]
    _, resp = resolve(recorder, host, np.full(len(host), relay), begin)
    lasted = rng.uniform(300.0, 3600.0, len(host))
    sent = (lasted * rng.uniform(80e3, 200e3, len(host))).astype("i8")
    received = (lasted * rng.uniform(150e3, 400e3, len(host))).astype("i8")
    recorder.udp(
        begin,
        network.ipv4[host],
        resp,
        3478,
        orig_bytes=sent,
        resp_bytes=received,
        orig_pkts=sent // 900 + 1,
        resp_pkts=received // 1000 + 1,
        duration=lasted,
    )


def development(recorder: Recorder) -> None:
    """A developer's ssh: long shells on the office's web server, short ones to a code host."""
    network, rng = recorder.network, recorder.rng
    forge = network.add_server(rng, "git.hammerfold.io", ttl=60.0)
    developer = network.user(DEVELOPER)
    _, ts = diurnal(rng, network.window, np.array([14.0 * network.scale]))
    typed = rng.integers(3000, 90000, len(ts))
    recorder.tcp(
        ts,
        network.ipv4[developer],
        network.server("web"),
        22,
        service="ssh",
        server_first=True,
        duration=rng.lognormal(6.0, 1.3, len(ts)),
        orig_bytes=typed,
        resp_bytes=typed * rng.integers(2, 9, len(ts)),
        segment=80,
    )
    _, ts = diurnal(rng, network.window, np.array([40.0 * network.scale]))
    resolve(recorder, np.full(len(ts), developer), np.full(len(ts), forge), ts)
    recorder.tcp(
        ts,
        network.ipv4[developer],
        network.servers.arrays()["ipv4"][forge, 0],
        22,
        service="ssh",
        server_first=True,
        duration=rng.lognormal(0.5, 0.5, len(ts)),
        orig_bytes=rng.integers(3500, 20000, len(ts)),
        resp_bytes=rng.lognormal(9.5, 1.5, len(ts)).astype("i8") + 3000,
    )


def peer_to_peer(recorder: Recorder) -> None:
    """One user's file sharing: many outside peers on many high ports, over half of them gone."""
    network, rng = recorder.network, recorder.rng
    user = network.ipv4[network.user(PEER_TO_PEER_USER)]
    peers = network.outside_addresses(rng, 600)
    ports = rng.integers(6881, 65000, 600)
    _, ts = diurnal(rng, network.window, np.array([900.0 * network.scale]))
    peer = rng.integers(0, 600, len(ts))
    answers = rng.random(600) < 0.4
    recorder.udp(
        ts,
        user,
        peers[peer],
        ports[peer],
        orig_bytes=rng.integers(90, 140, len(ts)),
        resp_bytes=np.where(answers[peer], rng.integers(250, 340, len(ts)), 0),
        orig_p=51413,
    )
    again = rng.random(len(ts)) < 0.5
    rows = int(again.sum())
    refused = np.where(rng.random(rows) < 0.3, Outcome.REFUSED, Outcome.NO_ANSWER)
    recorder.tcp(
        ts[again] + 2.0,
        user,
        peers[peer[again]],
        ports[peer[again]],
        duration=rng.lognormal(3.5, 1.5, rows),
        orig_bytes=rng.lognormal(10.0, 2.0, rows).astype("i8") + 68,
        resp_bytes=rng.lognormal(11.0, 2.5, rows).astype("i8") + 68,
        outcome=np.where(answers[peer[again]], Outcome.CLOSED, refused),
        attempts=rng.integers(1, 4, rows),
    )


def scanning_names(recorder: Recorder) -> None:
    """Encoded names that are no tunnel: file reputation and mail blocklist lookups."""
    network, rng = recorder.network, recorder.rng
    number, ts = diurnal(
        rng, network.window, np.full(len(network.users), 12.0 * network.scale), 0.0
    )
    host = network.users[number]
    count = len(ts)
    keys = zip(names.base32(rng, count, 26), names.hexadecimal(rng, count, 12), strict=True)
    query = network.texts.codes(
        f"0.0.0.{key}.{part}.v2.filerep.wardenpost.net" for key, part in keys
    )
    verdict = np.array([network.answers.add((f"127.0.{k}.4",), (3600.0,), 16) for k in range(3)])
    recorder.lookup(
        ts,
        network.ipv4[host],
        network.resolver[host],
        query,
        1,
        answers=verdict[rng.choice(3, count, p=(0.94, 0.05, 0.01))],
    )
    users = len(network.users) * network.scale
    _, ts = diurnal(rng, network.window, np.array([users * 14.0]))
    octets = rng.integers(1, 255, (len(ts), 4)).tolist()
    for zone in ("zen.mailreputation.org", "bl.spamledger.net"):
        query = network.texts.codes(f"{d}.{c}.{b}.{a}.{zone}" for a, b, c, d in octets)
        listed = rng.random(len(ts)) < 0.3
        recorder.lookup(
            ts,
            network.server("mail"),
            network.server("resolver"),
            query,
            1,
            rcode=np.where(listed, 0, 3),
            answers=np.where(listed, verdict[0], -1),
        )

"""Browsing: pages drawn from many sites, each from its own host and several delivery hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic import names
from tests.traffic.records import Array, Outcome
from tests.traffic.resolution import NXDOMAIN, A, resolve
from tests.traffic.schedule import diurnal, ranks

if TYPE_CHECKING:
    from tests.traffic.recorder import Recorder

_PARTS = 12
_VISITS_PER_DAY = 170.0


def _sites(recorder: Recorder) -> tuple[Array, list[str]]:
    """The servers each site's pages load from, the site's own first, and the sites' names."""
    network, rng = recorder.network, recorder.rng
    count = int(500 * np.sqrt(max(len(network.hosts) / 40, 1.0)))
    domains = names.site_domains(rng, min(count, 12000))
    zones = (
        "edgelattice.net",
        "fastquarry.net",
        "cdn-harrow.com",
        "cloudweft.net",
        "nearcache.io",
        "staticmoor.com",
    )
    delivery = [
        network.add_server(
            rng, names.delivery_host(rng, zones[k % 6]), ttl=60.0, ipv6=k % 3 == 0, quic=k % 2 == 0
        )
        for k in range(max(120, count // 3))
    ]
    trackers = [
        network.add_server(rng, f"{label}.{domain}", ttl=120.0, dead=k % 7 == 0)
        for k, domain in enumerate(names.site_domains(rng, 60))
        for label in ("ads", "pixel")
    ]
    parts = np.empty((len(domains), _PARTS), dtype="i8")
    for row, domain in enumerate(domains):
        fast, six = bool(rng.random() < 0.4), bool(rng.random() < 0.35)
        alias = (
            names.delivery_host(rng, zones[int(rng.integers(6))]) if rng.random() < 0.4 else None
        )
        own = [
            network.add_server(rng, f"www.{domain}", alias=alias, ttl=300.0, ipv6=six, quic=fast),
            network.add_server(
                rng, f"static.{domain}", alias=alias, ttl=600.0, ipv6=six, quic=fast
            ),
            network.add_server(rng, f"api.{domain}", ttl=60.0, ipv6=six),
        ]
        parts[row] = own + rng.choice(delivery, 6).tolist() + rng.choice(trackers, 3).tolist()
    return parts, domains


def browsing(recorder: Recorder) -> None:
    """Users' page views by day, with their lookups, encrypted, QUIC and plain connections."""
    network, rng = recorder.network, recorder.rng
    parts, domains = _sites(recorder)
    eager = rng.lognormal(0.0, 0.5, len(network.users)) * _VISITS_PER_DAY * network.scale
    user, opened = diurnal(rng, network.window, eager / 6, network.shift[network.users])
    # A session is a handful of pages, a minute or so apart.
    session, number = ranks(1 + rng.poisson(5, len(user)))
    visitor = network.users[user[session]]
    at = opened[session] + number * rng.exponential(50.0, len(session)) + number
    popularity = 1.0 / np.arange(1, len(parts) + 1) ** 0.9
    site = rng.choice(len(parts), size=len(at), p=popularity / popularity.sum())

    page, part = ranks(1 + rng.poisson(3.5, len(at)))
    column = np.where(part == 0, 0, rng.integers(0, _PARTS, len(page)))
    server = parts[site[page], column]
    host = visitor[page]
    ts = at[page] + np.where(part == 0, 0.0, rng.gamma(2.0, 0.35, len(page)))
    _fetch(recorder, host, server, ts)
    _mistakes(recorder, visitor, at, domains)


def _fetch(recorder: Recorder, host: Array, server: Array, ts: Array) -> None:
    network, rng = recorder.network, recorder.rng
    table = network.servers.arrays()
    orig, resp = resolve(recorder, host, server, ts, browser=True)
    draw = rng.random(len(ts))
    failing = network.failure_rate[host]
    # Dead tracker hosts are what fails in browsing; blockers and crowding add a little everywhere.
    dead = table["dead"][server] & (rng.random(len(ts)) < 12 * failing)
    outcome = np.full(len(ts), Outcome.CLOSED)
    outcome[draw < 0.16] = Outcome.ORIGINATOR_RESET
    outcome[draw < 0.06] = Outcome.RESPONDER_RESET
    outcome[draw < 0.03] = Outcome.LEFT_OPEN
    outcome[dead | (draw < failing)] = Outcome.NO_ANSWER
    outcome[dead & (rng.random(len(ts)) < 0.4)] = Outcome.REFUSED
    sent = rng.lognormal(7.4, 0.8, len(ts)).astype("i8") + 500
    received = rng.lognormal(9.4, 1.6, len(ts)).astype("i8") + 300
    lasted = rng.lognormal(1.5, 1.6, len(ts))
    attempts = rng.integers(1, 4, len(ts))
    kind = rng.random(len(ts))
    quic = table["quic"][server] & (kind < 0.45) & ~dead
    plain = ~quic & (kind > 0.93)
    secure = ~quic & ~plain
    for chosen, port, service in ((secure, 443, "ssl"), (plain, 80, "http")):
        recorder.tcp(
            ts[chosen],
            orig[chosen],
            resp[chosen],
            port,
            service=service,
            duration=lasted[chosen],
            orig_bytes=sent[chosen],
            resp_bytes=received[chosen],
            outcome=outcome[chosen],
            attempts=attempts[chosen],
            server_name=table["name"][server[chosen]] if service == "ssl" else None,
        )
    recorder.udp(
        ts[quic],
        orig[quic],
        resp[quic],
        443,
        service="quic",
        duration=lasted[quic],
        orig_bytes=sent[quic] + 1200,
        resp_bytes=received[quic] + 3600,
        orig_pkts=3 + received[quic] // 4000 + sent[quic] // 1200,
        resp_pkts=5 + received[quic] // 1200,
        server_name=table["name"][server[quic]],
    )


def _mistakes(recorder: Recorder, visitor: Array, at: Array, domains: list[str]) -> None:
    """Misspelt site names, and the search suffix tried after them."""
    network, rng = recorder.network, recorder.rng
    wrong = rng.random(len(at)) < 0.004
    host, ts = visitor[wrong], at[wrong] - 4.0
    chosen = rng.integers(0, len(domains), len(ts))
    typed = [names.misspelt(rng, domains[k]) for k in chosen.tolist()]
    for delay, suffix in ((0.0, ""), (0.05, f".{names.LOCAL_DOMAIN}")):
        query = network.texts.codes(name + suffix for name in typed)
        recorder.lookup(
            ts + delay, network.ipv4[host], network.resolver[host], query, A, rcode=NXDOMAIN
        )

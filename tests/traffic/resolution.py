"""Looking names up before connecting, as far as the client's cache does not know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.records import UNSET, Array

if TYPE_CHECKING:
    from tests.traffic.network import Network
    from tests.traffic.recorder import Recorder

A, CNAME, NULL, PTR, MX = 1, 5, 10, 12, 15
TXT, AAAA, NB, HTTPS = 16, 28, 32, 65
QTYPE_NAMES = {
    A: "A",
    CNAME: "CNAME",
    NULL: "NULL",
    PTR: "PTR",
    MX: "MX",
    TXT: "TXT",
    AAAA: "AAAA",
    NB: "NB",
    HTTPS: "HTTPS",
}
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
RCODE_NAMES = {NOERROR: "NOERROR", SERVFAIL: "SERVFAIL", NXDOMAIN: "NXDOMAIN"}


def resolve(
    recorder: Recorder, host: Array, server: Array, ts: Array, *, browser: bool = False
) -> tuple[Array, Array]:
    """Look `server` up for each `host` just before `ts` and choose the addresses to talk with.

    A name is asked for again only once its TTL has run out. Browsers ask for HTTPS records too.
    Returns the originator's and responder's address codes, IPv6 where both have it (mostly).
    """
    network, rng = recorder.network, recorder.rng
    table = network.servers.arrays()
    order = np.lexsort((ts, server, host))
    if len(order):
        client, asked, at = host[order], server[order], ts[order]
        new = np.ones(len(order), dtype="?")
        new[1:] = (client[1:] != client[:-1]) | (asked[1:] != asked[:-1])
        group = np.cumsum(new) - 1
        # Periods are counted from the first use, which spares a loop over every cache entry.
        period = np.floor((at - at[new][group]) / table["ttl"][asked])
        new[1:] |= period[1:] != period[:-1]
        _ask(recorder, client[new], asked[new], at[new], browser=browser)

    six = (network.ipv6[host] >= 0) & (table["ipv6"][server] >= 0) & (rng.random(len(ts)) < 0.7)
    orig = np.where(six, network.ipv6[host], network.ipv4[host])
    choice = rng.integers(0, 2, len(ts))
    resp = np.where(six, table["ipv6"][server], table["ipv4"][server, choice])
    return orig, resp


def _ask(recorder: Recorder, host: Array, server: Array, ts: Array, *, browser: bool) -> None:
    network, rng = recorder.network, recorder.rng
    table = network.servers.arrays()
    before = ts - rng.uniform(0.005, 0.08, len(ts))
    variant = rng.integers(0, network.ANSWER_VARIANTS, len(ts))
    orig, resolver, query = network.ipv4[host], network.resolver[host], table["name"][server]
    recorder.lookup(before, orig, resolver, query, A, answers=table["a_answers"][server] + variant)
    also = network.asks_aaaa[host]
    aaaa = table["aaaa_answers"][server][also]
    recorder.lookup(
        before[also] + 0.0002,
        orig[also],
        resolver[also],
        query[also],
        AAAA,
        answers=np.where(aaaa >= 0, aaaa + variant[also], UNSET),
    )
    if browser:
        also = network.asks_https[host]
        recorder.lookup(before[also] + 0.0001, orig[also], resolver[also], query[also], HTTPS)


def address_answer(network: Network, address: str, ttl: float = 3600.0) -> int:
    """The answer-section code of one address record."""
    return network.answers.add((address,), (ttl,), 28 if ":" in address else 16)

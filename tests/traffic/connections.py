"""Turning TCP, UDP and ICMP exchanges into records whose columns agree as Zeek's do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.records import (
    CONNECTION_COLUMNS,
    HANDSHAKE_COLUMNS,
    UNSET,
    Array,
    Batch,
    Outcome,
    Values,
    batch,
    uids,
)

if TYPE_CHECKING:
    from tests.traffic.network import Network

SYN_BYTES = 52
"""IPv4 bytes of the SYN a desktop system sends (maximum segment size, window scale, SACK)."""
PROBE_SYN_BYTES = 44
"""IPv4 bytes of the SYN a scanner sends (maximum segment size alone)."""

_STATES = ("SF", "S0", "REJ", "RSTO", "RSTR", "S1", "RSTO")
# Indexed by outcome, then by who sent data: nobody, the originator, the responder, both,
# both with the responder first, and both with the responder closing first.
_HISTORIES = (
    ("ShAFaf", "ShADaFf", "ShAdFaf", "ShADadFf", "ShAdDaFf", "ShADadfF"),
    ("S",) * 6,
    ("Sr",) * 6,
    ("ShAR", "ShADaR", "ShAdR", "ShADadR", "ShAdDaR", "ShADadR"),
    ("ShAr", "ShADar", "ShAdr", "ShADadr", "ShAdDar", "ShADadr"),
    ("ShA", "ShADa", "ShAd", "ShADad", "ShAdDa", "ShADad"),
    ("ShR",) * 6,
)
_RETRY_SPAN = np.array([0.0, 0.0, 1.0, 3.0])
# Packets beyond handshake, data and acknowledgements, by outcome: FIN and last ACK, or RST.
_CLOSING_ORIG = np.array([2, 0, 0, 1, 0, 0, 0])
_CLOSING_RESP = np.array([1, 0, 0, 0, 1, 0, 0])


class ConnectionRecorder:
    """Records connections, drawing from one activity's own random stream."""

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        self.network = network
        self.rng = rng
        self.connections: list[Batch] = []
        self.handshakes: list[Batch] = []

    def ephemeral_ports(self, count: int) -> Array:
        """`count` source ports an operating system would choose."""
        return self.rng.integers(49152, 65536, count)

    def round_trip(self, orig_h: Array, resp_h: Array) -> Array:
        """Seconds from a packet to its answer: under a millisecond locally, more outside."""
        local = self.network.addresses.local
        inside = local[orig_h] & local[resp_h]
        return np.where(inside, 0.0005, 0.022) * self.rng.lognormal(0.0, 0.5, len(inside))

    def tcp(
        self,
        ts: Array,
        orig_h: Values,
        resp_h: Values,
        resp_p: Values,
        *,
        duration: Values = 0.0,
        orig_bytes: Values = 0,
        resp_bytes: Values = 0,
        service: str | None = None,
        outcome: Values = Outcome.CLOSED,
        orig_p: Values | None = None,
        attempts: Values = 1,
        syn_bytes: int = SYN_BYTES,
        segment: Values = 1460,
        server_first: bool = False,
        server_name: Values | None = None,
    ) -> Array:
        """Record TCP connections and return their uids.

        Durations are in seconds; `attempts` is how many SYNs (1 to 3) an unanswered connection
        sends; `segment` is the payload bytes a packet carries; with `server_first` the responder
        speaks first; `server_name` (text codes) adds TLS handshakes where the service is confirmed.
        """
        rng, rows = self.rng, len(ts)
        ts = np.round(ts, 6)
        orig = np.broadcast_to(np.asarray(orig_h, dtype="i4"), (rows,))
        resp = np.broadcast_to(np.asarray(resp_h, dtype="i4"), (rows,))
        went = np.broadcast_to(np.asarray(outcome, dtype="i8"), (rows,))
        ipv6 = self.network.addresses.ipv6[orig]
        header = 40 + 20 * ipv6
        silent = went == Outcome.NO_ANSWER
        short = silent | (went == Outcome.REFUSED) | (went == Outcome.HALF_OPEN_PROBE)
        opened = ~short
        sent = np.where(opened, orig_bytes, 0).astype("i8")
        received = np.where(opened, resp_bytes, 0).astype("i8")
        payload = np.minimum(segment, 1460 - 20 * ipv6).astype("i8")
        sent_segments = -(-sent // payload)
        received_segments = -(-received // payload)

        tries = np.where(silent, attempts, 1).astype("i8")
        orig_pkts = (
            np.where(opened, 2 + sent_segments + (received_segments + 1) // 2, tries)
            + _CLOSING_ORIG[went]
        )
        orig_pkts = orig_pkts + (went == Outcome.HALF_OPEN_PROBE)
        resp_pkts = np.where(opened, 1 + received_segments + (sent_segments + 1) // 2, 1 - silent)
        resp_pkts = resp_pkts + _CLOSING_RESP[went]
        orig_options = np.where(silent, tries, 1) * (syn_bytes - 40)
        resp_options = np.where(silent | (went == Outcome.REFUSED), 0, syn_bytes - 40)

        wait = self.round_trip(orig, resp)
        lasted = np.where(opened, np.maximum(duration, 3 * wait), wait)
        lasted = np.where(silent, _RETRY_SPAN[tries] * (1 + 0.01 * rng.random(rows)), lasted)
        lasted = np.where(silent & (tries == 1), np.nan, np.maximum(np.round(lasted, 6), 1e-6))
        unset = np.isnan(lasted)

        spoke = (sent > 0) + 2 * (received > 0)
        variant = rng.random(rows) < 0.4
        spoke = np.where(spoke == 3, 4 if server_first else np.where(variant, 5, 3), spoke)
        text = self.network.texts
        states = text.codes(_STATES)
        histories = np.array([text.codes(row) for row in _HISTORIES])
        identifiers = uids(rng, rows)
        self.connections.append(
            batch(
                CONNECTION_COLUMNS,
                {
                    "ts": ts,
                    "uid": identifiers,
                    "orig_h": orig,
                    "orig_p": self.ephemeral_ports(rows) if orig_p is None else orig_p,
                    "resp_h": resp,
                    "resp_p": resp_p,
                    "proto": text.code("tcp"),
                    "service": np.where(
                        opened & (sent + received > 0),
                        text.code(service) if service else UNSET,
                        UNSET,
                    ),
                    "duration": lasted,
                    "orig_bytes": np.where(unset, UNSET, sent),
                    "resp_bytes": np.where(unset, UNSET, received),
                    "conn_state": states[went],
                    "history": histories[went, spoke],
                    "orig_pkts": orig_pkts,
                    "orig_ip_bytes": orig_pkts * header + sent + orig_options,
                    "resp_pkts": resp_pkts,
                    "resp_ip_bytes": resp_pkts * header + received + resp_options,
                },
                rows,
            )
        )
        if server_name is not None:
            self._handshakes(opened & (sent > 0) & (received > 0), server_name)
        return identifiers

    def udp(
        self,
        ts: Array,
        orig_h: Values,
        resp_h: Values,
        resp_p: Values,
        *,
        orig_bytes: Values,
        resp_bytes: Values = 0,
        orig_pkts: Values = 1,
        resp_pkts: Values | None = None,
        duration: Values | None = None,
        service: str | None = None,
        orig_p: Values | None = None,
        server_name: Values | None = None,
    ) -> Array:
        """Record UDP exchanges and return their uids.

        Bytes are payload bytes of all packets of a side. A side that answers sends one packet
        unless `resp_pkts` says otherwise; a duration not given is one round trip.
        """
        rows = len(ts)
        orig = np.broadcast_to(np.asarray(orig_h, dtype="i4"), (rows,))
        resp = np.broadcast_to(np.asarray(resp_h, dtype="i4"), (rows,))
        received = np.broadcast_to(np.asarray(resp_bytes, dtype="i8"), (rows,))
        sent = np.broadcast_to(np.asarray(orig_bytes, dtype="i8"), (rows,))
        packets = np.broadcast_to(np.asarray(orig_pkts, dtype="i8"), (rows,))
        replies = np.broadcast_to(
            np.asarray(received > 0 if resp_pkts is None else resp_pkts, dtype="i8"), (rows,)
        )
        wait = self.round_trip(orig, resp)
        lasted = np.maximum(
            np.round(wait if duration is None else np.maximum(duration, wait), 6), 1e-6
        )
        single = packets + replies == 1
        header = 28 + 20 * self.network.addresses.ipv6[orig]
        text = self.network.texts
        identifiers = uids(self.rng, rows)
        self.connections.append(
            batch(
                CONNECTION_COLUMNS,
                {
                    "ts": np.round(ts, 6),
                    "uid": identifiers,
                    "orig_h": orig,
                    "orig_p": self.ephemeral_ports(rows) if orig_p is None else orig_p,
                    "resp_h": resp,
                    "resp_p": resp_p,
                    "proto": text.code("udp"),
                    "service": text.code(service) if service else UNSET,
                    "duration": np.where(single, np.nan, lasted),
                    "orig_bytes": np.where(single, UNSET, sent),
                    "resp_bytes": np.where(single, UNSET, received),
                    "conn_state": np.where(replies > 0, text.code("SF"), text.code("S0")),
                    "history": np.where(replies > 0, text.code("Dd"), text.code("D")),
                    "orig_pkts": packets,
                    "orig_ip_bytes": sent + packets * header,
                    "resp_pkts": replies,
                    "resp_ip_bytes": received + replies * header,
                },
                rows,
            )
        )
        if server_name is not None:
            self._handshakes(replies > 0, server_name)
        return identifiers

    def echo(
        self,
        ts: Array,
        orig_h: Values,
        resp_h: Values,
        *,
        packets: Values = 1,
        replies: Values = 1,
        payload: Values = 32,
        interval: Values = 1.0,
    ) -> Array:
        """Record ICMP echo exchanges: requests of `payload` bytes, `interval` seconds apart."""
        rows = len(ts)
        orig = np.broadcast_to(np.asarray(orig_h, dtype="i4"), (rows,))
        resp = np.broadcast_to(np.asarray(resp_h, dtype="i4"), (rows,))
        ipv6 = self.network.addresses.ipv6[orig]
        requests = np.broadcast_to(np.asarray(packets, dtype="i8"), (rows,))
        answered = np.broadcast_to(np.asarray(replies, dtype="i8"), (rows,))
        size = np.broadcast_to(np.asarray(payload, dtype="i8"), (rows,))
        single = requests + answered == 1
        lasted = (requests - 1) * interval + np.where(
            answered > 0, self.round_trip(orig, resp), 0.0
        )
        header = 28 + 20 * ipv6
        text = self.network.texts
        identifiers = uids(self.rng, rows)
        self.connections.append(
            batch(
                CONNECTION_COLUMNS,
                {
                    "ts": np.round(ts, 6),
                    "uid": identifiers,
                    "orig_h": orig,
                    "orig_p": np.where(ipv6, 128, 8),
                    "resp_h": resp,
                    "resp_p": np.where(ipv6, 129, 0),
                    "proto": text.code("icmp"),
                    "service": UNSET,
                    "duration": np.where(single, np.nan, np.maximum(np.round(lasted, 6), 1e-6)),
                    "orig_bytes": np.where(single, UNSET, requests * size),
                    "resp_bytes": np.where(single, UNSET, answered * size),
                    "conn_state": text.code("OTH"),
                    "history": UNSET,
                    "orig_pkts": requests,
                    "orig_ip_bytes": requests * (size + header),
                    "resp_pkts": answered,
                    "resp_ip_bytes": answered * (size + header),
                },
                rows,
            )
        )
        return identifiers

    def _handshakes(self, confirmed: Array, server_name: Values) -> None:
        conn = self.connections[-1]
        rows = len(confirmed)
        names = np.broadcast_to(np.asarray(server_name, dtype="i4"), (rows,))
        columns = {
            name: conn[name][confirmed] for name in ("uid", "orig_h", "orig_p", "resp_h", "resp_p")
        }
        count = int(confirmed.sum())
        self.handshakes.append(
            batch(
                HANDSHAKE_COLUMNS,
                {
                    "ts": np.round(
                        conn["ts"][confirmed] + 0.3 * np.minimum(conn["duration"][confirmed], 0.1),
                        6,
                    ),
                    **columns,
                    "server_name": names[confirmed],
                    "resumed": self.rng.random(count) < 0.3,
                },
                count,
            )
        )

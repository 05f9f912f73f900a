"""Recording an activity: its connections, and its lookups with the connections they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.traffic.connections import ConnectionRecorder
from tests.traffic.records import LOOKUP_COLUMNS, UNSET, Array, Batch, Values, batch

if TYPE_CHECKING:
    from tests.traffic.network import Network


class Recorder(ConnectionRecorder):
    """The records of one activity, drawn from that activity's own random stream."""

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        super().__init__(network, rng)
        self.lookups: list[Batch] = []

    def lookup(
        self,
        ts: Array,
        orig_h: Values,
        resolver: Values,
        query: Values,
        qtype: Values,
        *,
        answers: Values = UNSET,
        rcode: Values = 0,
        authoritative: Values = False,
        recursion_desired: bool = True,
        port: int = 53,
        orig_p: Values | None = None,
    ) -> None:
        """Record DNS transactions, each with the UDP connection that carried it.

        `query` holds text codes, `answers` answer-section codes, `rcode` is `UNSET` where nobody
        answered. Port 5353, 5355 or 137 makes them multicast or NetBIOS lookups.
        """
        rows = len(ts)
        names = np.broadcast_to(np.asarray(query, dtype="i4"), (rows,))
        given = np.broadcast_to(np.asarray(answers, dtype="i4"), (rows,))
        code = np.broadcast_to(np.asarray(rcode, dtype="i4"), (rows,))
        unique, where = np.unique(names, return_inverse=True)
        length = np.array(
            [len(self.network.texts.texts[code].encode()) for code in unique], dtype="i8"
        )[where]
        # Header, name with its first length and last zero byte, type and class, EDNS option record.
        question = 12 + length + 2 + 4 + (11 if port == 53 else 0)
        section = np.where(
            given >= 0,
            self.network.answers.sizes[given] if len(self.network.answers.sizes) else 0,
            0,
        )
        # A negative answer carries the zone's SOA record.
        section = np.where((code >= 0) & (given < 0), 60, section)
        answered = code >= 0
        orig = np.broadcast_to(np.asarray(orig_h, dtype="i4"), (rows,))
        resp = np.broadcast_to(np.asarray(resolver, dtype="i4"), (rows,))
        cached = self.rng.random(rows) < 0.6
        rtt = self.round_trip(orig, resp) + np.where(cached, 0.0, self.rng.gamma(2.0, 0.012, rows))
        rtt = np.maximum(np.round(rtt, 6), 1e-6)
        identifiers = self.udp(
            ts,
            orig,
            resp,
            port,
            orig_bytes=question,
            resp_bytes=np.where(answered, question + section, 0),
            duration=rtt,
            service="dns",
            orig_p=orig_p,
        )
        conn = self.connections[-1]
        self.lookups.append(
            batch(
                LOOKUP_COLUMNS,
                {
                    **{name: conn[name] for name in ("ts", "orig_h", "orig_p", "resp_h", "resp_p")},
                    "uid": identifiers,
                    "trans_id": self.rng.integers(1, 65536, rows) if port != 5353 else 0,
                    "rtt": np.where(answered & (given >= 0), conn["duration"], np.nan),
                    "query": names,
                    "qtype": qtype,
                    "rcode": code,
                    "authoritative": (given >= 0) & np.asarray(authoritative, dtype="?"),
                    "recursion_desired": recursion_desired,
                    "answers": given,
                    "rejected": False,
                },
                rows,
            )
        )

    def span(self) -> tuple[float, float]:
        """When the first of the recorded connections began and the last packet of all was seen."""
        begin = min(float(part["ts"].min()) for part in self.connections if len(part["ts"]))
        end = max(
            float((part["ts"] + np.nan_to_num(part["duration"])).max())
            for part in self.connections
            if len(part["ts"])
        )
        return begin, end

"""Connections and DNS transactions as tables with the columns of conn.log and dns.log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.networks import LocalNetworks
from analyzer.parsers.pcap.addresses import address_texts
from analyzer.parsers.pcap.batches import Counts
from analyzer.parsers.pcap.connection_state import ICMP, ICMP6, TCP, UDP
from analyzer.parsers.pcap.connections import ConnectionTable
from analyzer.parsers.pcap.dns_rows import DnsRows
from analyzer.records import CONN, DNS, SSL

_PROTOCOL_NAMES = ("unknown_transport", "tcp", "udp", "icmp")


class Tables:
    """Makes tables of what a connection table holds.

    Args:
        connections: where the connections are.
        local: tells which addresses are local.
    """

    def __init__(self, connections: ConnectionTable, local: LocalNetworks) -> None:
        self._connections = connections
        self._local = local

    def conn(self, slots: Counts, services: pa.Array) -> pa.Table:
        """The rows of conn.log for connections.

        Args:
            slots: which; they must still be valid.
            services: the service of each, null where none is known.
        """
        said = self._connections.columns(slots)
        # Zeek does not say how much was sent where it cannot say for how long.
        unset = ~said.has_duration
        protocols = self._field("protocol", slots)
        endpoints = self._endpoints(slots)
        columns = {
            "ts": pa.array(self._field("first_time", slots)),
            **endpoints,
            "service": services,
            "duration": pa.array(said.durations, mask=unset),
            "orig_bytes": pa.array(said.orig_bytes, mask=unset),
            "resp_bytes": pa.array(said.resp_bytes, mask=unset),
            "conn_state": _texts(said.conn_states),
            "local_orig": self._are_local(endpoints["orig_h"]),
            "local_resp": self._are_local(endpoints["resp_h"]),
            "missed_bytes": pa.array(said.missed_bytes),
            "history": _texts(said.histories, mask=said.histories == b""),
            "orig_pkts": pa.array(said.orig_pkts),
            "orig_ip_bytes": pa.array(said.orig_ip_bytes),
            "resp_pkts": pa.array(said.resp_pkts),
            "resp_ip_bytes": pa.array(said.resp_ip_bytes),
            "tunnel_parents": _lists(self._connections.tunnel_parents(slots), len(slots)),
            "ip_proto": pa.array(protocols.astype(np.int64)),
        }
        return pa.table({column.name: columns[column.name] for column in CONN})

    def dns(self, rows: DnsRows) -> pa.Table:
        """The rows of dns.log for transactions."""
        columns = self._endpoints(rows.slots) | {
            name: rows.columns[name] for name in rows.columns.column_names
        }
        return pa.table({column.name: columns[column.name] for column in DNS})

    def server_names(self, slots: Counts, names: pa.Array) -> pa.Table:
        """The names by which clients asked for servers, as ssl.log has them.

        Args:
            slots: connections.
            names: the name of each, null where none was said.
        """
        named = pc.is_valid(names)
        uids = _texts(self._connections.uids(slots))
        columns = {"uid": uids.filter(named), "server_name": names.filter(named)}
        return pa.table({column.name: columns[column.name] for column in SSL})

    def _field(self, name: str, slots: Counts) -> npt.NDArray[Any]:
        return self._connections.field(name)[slots]

    def _endpoints(self, slots: Counts) -> dict[str, pa.Array]:
        protocols = self._field("protocol", slots)
        kinds = np.select(
            [protocols == TCP, protocols == UDP, (protocols == ICMP) | (protocols == ICMP6)],
            [1, 2, 3],
            0,
        )
        return {
            "uid": _texts(self._connections.uids(slots)),
            "orig_h": address_texts(
                self._field("originator_high", slots), self._field("originator_low", slots)
            ),
            "orig_p": pa.array(self._field("originator_port", slots)),
            "resp_h": address_texts(
                self._field("responder_high", slots), self._field("responder_low", slots)
            ),
            "resp_p": pa.array(self._field("responder_port", slots)),
            "proto": pa.DictionaryArray.from_arrays(
                kinds.astype(np.int32), pa.array(_PROTOCOL_NAMES)
            ),
        }

    def _are_local(self, addresses: pa.DictionaryArray) -> pa.Array:
        are_local = [self._local.is_local(text) for text in addresses.dictionary.to_pylist()]
        return pa.array(are_local, pa.bool_()).take(addresses.indices)


def _texts(
    characters: npt.NDArray[np.bytes_], mask: npt.NDArray[np.bool_] | None = None
) -> pa.Array:
    return pa.array(characters, mask=mask).cast(pa.string())


def _lists(elements: Mapping[int, list[str]], size: int) -> pa.Array:
    """Lists of texts by place; null where there is none."""
    if not elements:
        return pa.nulls(size, pa.list_(pa.string()))
    return pa.array([elements.get(place) for place in range(size)], pa.list_(pa.string()))
